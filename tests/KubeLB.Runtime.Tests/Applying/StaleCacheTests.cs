using System.Net;
using System.Text.Json.Nodes;
using k8s.Autorest;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Applying;

/// <summary>Answers to writes that contradict the cache: ordinary races, and a storage that is not what it was.</summary>
public sealed class StaleCacheTests : IAsyncDisposable
{
    private static readonly ResourceKey Key = new("default", "w");

    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new();
    private TestHost? _host;

    private TestHost Host => _host!;

    private int Lists => _server.Requests.Count(r => r.IsList);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("patch")]
    [InlineData("status")]
    [InlineData("finalizer")]
    [InlineData("delete")]
    public async Task Write_with_404_removes_the_object_and_causes_one_list(string verb)
    {
        _server.PutWidget("w");
        _server.PutWidget("other");
        await StartAsync();
        var current = Host.Widgets.Get(Key)!;
        _server.Widgets(c =>
        {
            c.Vanish(Key);
            c.Vanish(new ResourceKey("default", "other"));
        });

        await WriteAsync(verb, current);
        Host.Widgets.Get(Key).Should().BeNull("the response shows that it does not exist");
        Lists.Should().Be(1, "the watch may yet explain it");
        await AdvanceUntilAsync(() => Lists == 2, "nothing explained it");
        await Eventually.HoldsAsync(() => Host.Widgets.List().Count == 0, "the list replaces the store");
        await QuietAsync();
        Lists.Should().Be(2);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("finalizer")]
    [InlineData("delete")]
    public async Task Recently_deleted_object_causes_no_list(string verb)
    {
        _server.PutWidget("w");
        await StartAsync();
        var current = Host.Widgets.Get(Key)!;
        _server.Widgets(c => c.Delete(Key));

        await WriteAsync(verb, current);
        await Eventually.HoldsAsync(() => Host.Widgets.Get(Key) is null, "it is gone");
        await QuietAsync();
        Lists.Should().Be(1);
    }

    [Fact]
    public async Task Create_with_409_caches_the_live_object_and_causes_one_list()
    {
        await StartAsync();
        _server.Widgets(c =>
        {
            c.PutSilently(Key);
            c.PutSilently(new ResourceKey("default", "other"));
        });

        await ExpectStaleAsync(() => ApplyAsync("red"));
        Host.Widgets.Get(Key).Should().NotBeNull();
        await AdvanceUntilAsync(() => Lists == 2, "nothing explained it");
        await Eventually.HoldsAsync(() => Host.Widgets.Get("default", "other") is not null, "the list replaces the store");
    }

    [Fact]
    public async Task Create_after_another_replica_causes_no_list()
    {
        await StartAsync();
        var others = Widget.Named("w", colour: "blue");
        _server.Intercept = request =>
        {
            _server.Intercept = null;
            _server.PutWidget("w", """{"spec":{"colour":"blue"}}""");
            return null;
        };
        await ExpectStaleAsync(() => ApplyAsync("red"));
        await QuietAsync();
        Lists.Should().Be(1);
        Host.Widgets.Get(Key)!.Spec!.Colour.Should().Be(others.Spec!.Colour);
        (await ApplyAsync("red")).Outcome.Should().Be(ApplyOutcome.Patched);
    }

    [Fact]
    public async Task Create_of_an_object_that_exists_outside_the_selector_causes_no_list()
    {
        await StartAsync(c => c.Informer<Widget>(widgets => widgets.LabelSelector = "app=ours"));
        _server.Intercept = request =>
            request.IsList && request.Query.Contains("metadata.name%3Dw", StringComparison.Ordinal)
                ? FakeApiServer.Json(
                    200,
                    new JsonObject
                    {
                        ["metadata"] = new JsonObject { ["resourceVersion"] = "200" },
                        ["items"] = new JsonArray(),
                    }
                )
                : null;
        _server.Widgets(c => c.PutSilently(Key));
        await ExpectStaleAsync(() => ApplyAsync("red"));
        Host.Widgets.Get(Key).Should().NotBeNull("otherwise a create would fail again");
        var lists = Lists;
        await QuietAsync();
        Lists.Should().Be(lists);
    }

    [Fact]
    public async Task Patch_response_with_an_earlier_version_causes_a_list()
    {
        _server.PutWidget("w");
        await StartAsync();
        var earlier = _server.Widgets(c => (JsonObject)c.Objects[Key].DeepClone());
        earlier["metadata"]!["resourceVersion"] = "7";
        _server.Intercept = request => request.Method == HttpMethod.Patch ? FakeApiServer.Json(200, earlier.DeepClone()) : null;
        await ApplyAsync("red");
        Host.Widgets.Get(Key)!.Metadata.ResourceVersion.Should().Be("7");
        await AdvanceUntilAsync(() => Lists == 2, "nothing explained it");
    }

    [Fact]
    public async Task Guarded_patch_conflict_without_a_watch_event_causes_a_list()
    {
        _server.PutWidget("w");
        await StartAsync();
        var current = Host.Widgets.Get(Key)!;
        _server.Widgets(c => c.PutSilently(Key));
        var patch = () => Host.Applier.EnsureFinalizerAsync(Host.Cluster, current, "example.com/hold", default);
        (await patch.Should().ThrowAsync<HttpOperationException>()).Which.Response.StatusCode.Should().Be(HttpStatusCode.Conflict);
        await AdvanceUntilAsync(() => Lists == 2, "nothing explained it");
        await Eventually.HoldsAsync(
            () => Host.Widgets.Get(Key)!.Metadata.ResourceVersion != current.Metadata.ResourceVersion,
            "the list shows the present version"
        );
        await Host.Applier.EnsureFinalizerAsync(Host.Cluster, Host.Widgets.Get(Key)!, "example.com/hold", default);
    }

    [Fact]
    public async Task Many_stale_keys_cause_one_list_per_interval()
    {
        for (var i = 0; i < 20; i++)
        {
            _server.PutWidget($"w{i}");
        }

        await StartAsync();
        var all = Host.Widgets.List();
        _server.Widgets(c =>
        {
            foreach (var widget in all)
            {
                c.Vanish(ResourceKey.Of(widget));
            }
        });
        foreach (var widget in all)
        {
            await WriteAsync("delete", widget);
        }

        await AdvanceUntilAsync(() => Lists == 2, "nothing explained it");
        await QuietAsync();
        Lists.Should().Be(2);
        var gone = all.First();
        Host.Widgets.Observe(gone);
        await WriteAsync("delete", gone);
        _time.Advance(TimeSpan.FromSeconds(1));
        Lists.Should().Be(2);
    }

    [Fact]
    public async Task Patch_of_a_kind_no_longer_served_keeps_the_object()
    {
        _server.PutWidget("w");
        await StartAsync();
        _server.NotInstalled["widgets"] = true;
        var patch = () => ApplyAsync("red");
        await patch.Should().ThrowAsync<HttpOperationException>();
        Host.Widgets.Get(Key).Should().NotBeNull();
    }

    [Fact]
    public async Task Status_of_a_kind_without_the_subresource_keeps_the_object()
    {
        _server.PutWidget("w");
        await StartAsync();
        _server.Intercept = request => request.Path.EndsWith("/status", StringComparison.Ordinal) ? FakeApiServer.Missing(Key) : null;
        await ExpectStaleAsync(() =>
            Host.Applier.PatchStatusAsync(Host.Cluster, Host.Widgets.Get(Key)!, new JsonObject { ["phase"] = "x" }, false, default)
        );
        Host.Widgets.Get(Key).Should().NotBeNull();
        await QuietAsync();
        Lists.Should().Be(1);
    }

    private async Task StartAsync(Action<ClusterBuilder>? cluster = null)
    {
        _host = TestHost.Build(_server, cluster, s => s.AddSingleton<TimeProvider>(_time));
        await _host.Host.StartAsync();
        await _host.Widgets.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "widgets are watched");
    }

    private Task<Applied<Widget>> ApplyAsync(string colour) =>
        Host.Applier.ApplyAsync(Host.Cluster, Widget.Named("w", colour: colour), default);

    private async Task WriteAsync(string verb, Widget current)
    {
        var applier = Host.Applier;
        switch (verb)
        {
            case "patch":
                await OrStaleAsync(() => ApplyAsync("red"));
                break;
            case "status":
                await OrStaleAsync(() =>
                    applier.PatchStatusAsync(Host.Cluster, current, new JsonObject { ["phase"] = "x" }, false, default)
                );
                break;
            case "finalizer":
                await OrStaleAsync(() => applier.EnsureFinalizerAsync(Host.Cluster, current, "example.com/hold", default));
                break;
            default:
                (await applier.DeleteAsync(Host.Cluster, current, default)).Should().BeFalse();
                break;
        }
    }

    private static async Task OrStaleAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (StaleCacheException) { }
    }

    private static async Task ExpectStaleAsync(Func<Task> write) => await write.Should().ThrowAsync<StaleCacheException>();

    private Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(200));
                return condition();
            },
            what
        );

    /// <summary>Lets all pauses pass, and shows that the informer works by then.</summary>
    private async Task QuietAsync()
    {
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var name = $"probe{Guid.NewGuid():N}";
            _server.PutWidget(name);
            await Eventually.HoldsAsync(() => Host.Widgets.Get("default", name) is not null, "the watch works");
        }
    }
}
