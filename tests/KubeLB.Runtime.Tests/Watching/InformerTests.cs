using System.Text.Json.Nodes;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Watching;

public sealed class InformerTests
{
    private readonly FakeApiServer _server = new();

    private IEnumerable<SeenRequest> Lists => _server.Requests.Where(r => r.IsList);

    private IEnumerable<SeenRequest> Watches => _server.Requests.Where(r => r.IsWatch);

    [Fact]
    public async Task List_and_watch_fill_the_store()
    {
        _server.PutWidget("a");
        await using var host = await TestHost.StartSyncedAsync(_server);
        _server.PutWidget("b", """{"spec":{"colour":"red"}}""");

        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "b")?.Spec?.Colour == "red", "b arrives by watch");
        host.Widgets.Get("default", "a")!.Kind.Should().Be("Widget", "items of lists carry no kind, yet objects have one");
        host.Widgets.Get("default", "a")!.ApiVersion.Should().Be("example.com/v1alpha1");
        host.Widgets.List().Should().HaveCount(2);
    }

    [Fact]
    public async Task Watch_requests_bookmarks_and_a_timeout_of_five_to_ten_minutes()
    {
        await using var host = await TestHost.StartSyncedAsync(_server);
        var query = System.Web.HttpUtility.ParseQueryString(Watches.First().Query);
        query["allowWatchBookmarks"].Should().Be("true");
        int.Parse(query["timeoutSeconds"]!).Should().BeInRange(300, 600);
    }

    [Fact]
    public async Task Long_list_is_read_in_pages()
    {
        for (var i = 0; i < 1101; i++)
        {
            _server.PutWidget($"w{i}");
        }

        await using var host = await TestHost.StartSyncedAsync(_server);
        host.Widgets.List().Should().HaveCount(1101);
        Lists.Should().HaveCount(3).And.OnlyContain(r => r.Query.Contains("limit=500"));
    }

    [Fact]
    public async Task Expired_continue_token_causes_a_full_list()
    {
        for (var i = 0; i < 600; i++)
        {
            _server.PutWidget($"w{i}");
        }

        _server.Intercept = r =>
            r.Query.Contains("continue=") ? FakeApiServer.Error(410, "Expired", "The provided continue parameter is too old") : null;
        await using var host = await TestHost.StartSyncedAsync(_server);
        host.Widgets.List().Should().HaveCount(600);
        host.Logs.AtLeast(LogLevel.Warning).Should().BeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dropped_watch_resumes_without_a_list(bool abruptly)
    {
        await using var host = await TestHost.StartSyncedAsync(_server);
        _server.PutWidget("a");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "a") is not null, "a arrives");
        var last = _server.Version;

        _server.Widgets(c => c.Drop(abruptly));
        _server.PutWidget("b");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "b") is not null, "b, written between two watches, arrives");
        Lists.Should().ContainSingle();
        Watches.Last().Query.Should().Contain($"resourceVersion={last}&");
        host.Logs.AtLeast(LogLevel.Warning).Should().BeEmpty("a dropped watch is ordinary");
    }

    [Fact]
    public async Task Bookmark_updates_the_resume_version()
    {
        await using var host = await TestHost.StartSyncedAsync(_server);
        _server.With("v1", "configmaps", c => c.Put(new ResourceKey("default", "other"), []));
        var version = _server.Version;
        _server.Widgets(c => c.Bookmark(version));
        _server.Widgets(c => c.Drop(false));
        await Eventually.HoldsAsync(() => Watches.Count() == 2, "it watches again");
        Watches.Last().Query.Should().Contain($"resourceVersion={version}&");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Relist_after_410_deletes_missing_objects(bool asEvent)
    {
        _server.PutWidget("stays");
        _server.PutWidget("goes");
        await using var host = await TestHost.StartSyncedAsync(_server);
        var deleted = new TaskCompletionSource<Change<Widget>>();
        using var subscription = host.Widgets.Subscribe(change =>
        {
            if (change.New is null)
            {
                deleted.TrySetResult(change);
            }
        });

        _server.Widgets(c =>
        {
            c.Vanish(new ResourceKey("default", "goes"));
            if (asEvent)
            {
                c.Send(
                    "ERROR",
                    new JsonObject
                    {
                        ["kind"] = "Status",
                        ["code"] = 410,
                        ["reason"] = "Expired",
                        ["message"] = "too old",
                    }
                );
            }
            else
            {
                c.OldestVersion = long.MaxValue;
                c.Drop(false);
            }
        });
        (await deleted.Task.WaitAsync(TimeSpan.FromSeconds(20))).Old!.Metadata.Name.Should().Be("goes");
        _server.Widgets(c => c.OldestVersion = 0);
        host.Widgets.List().Should().ContainSingle().Which.Metadata.Name.Should().Be("stays");
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "it watches again");
        _server.PutWidget("new");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "new") is not null, "later news arrive");
    }

    [Fact]
    public async Task Missing_CRD_and_its_recovery_are_logged_once()
    {
        _server.NotInstalled["widgets"] = true;
        await using var host = await TestHost.StartAsync(_server);
        await Eventually.HoldsAsync(() => _server.Requests.Count > 5, "it keeps trying");
        host.Widgets.HasSynced.Should().BeFalse();
        host.Widgets.LastError.Should()
            .Be(
                "The API server of cluster \"home\" does not serve widgets.example.com in version v1alpha1; install the "
                    + "CustomResourceDefinition."
            );
        var warning = host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle().Which;
        warning.Text.Should().Contain("install the CustomResourceDefinition").And.Contain("Retrying");
        warning.Exception.Should().BeNull();

        _server.NotInstalled.Clear();
        await host.Widgets.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        await Eventually.HoldsAsync(() => host.Widgets.LastError is null, "the error is gone");
        host.Logs.Lines.Should().Contain(l => l.Level == LogLevel.Information && l.Text.Contains("recovered"));
    }

    [Fact]
    public async Task Missing_CRD_of_an_optional_kind_does_not_block()
    {
        _server.NotInstalled["widgets"] = true;
        await using var host = TestHost.Build(
            _server,
            cluster => cluster.Informer<Widget>(widgets => widgets.WhenAbsent = WhenAbsent.BlockNone),
            limits: TestHost.Quick with
            {
                NotServedRetryInterval = TimeSpan.FromMilliseconds(5),
            }
        );
        await host.Host.StartAsync();
        await host.Widgets.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        await Eventually.HoldsAsync(() => _server.Requests.Count > 5, "it keeps looking");
        host.Widgets.List().Should().BeEmpty();
        host.Widgets.LastError.Should().BeNull();
        host.Logs.AtLeast(LogLevel.Warning).Should().BeEmpty();
        host.Logs.Lines.Should().ContainSingle(l => l.Text.Contains("does not serve widgets.example.com"));

        _server.PutWidget("a");
        _server.NotInstalled.Clear();
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "a") is not null, "what is there now arrives");
    }

    [Fact]
    public async Task Each_change_of_error_is_logged_once()
    {
        _server.IsDown = true;
        await using var host = await TestHost.StartAsync(_server);
        await Eventually.HoldsAsync(
            () => host.Widgets.LastError?.Contains("cannot be reached") == true,
            "the error is that the server is unreachable"
        );
        _server.Intercept = _ => FakeApiServer.Error(403, "Forbidden", "widgets is forbidden: User \"x\" cannot list");
        _server.IsDown = false;
        await Eventually.HoldsAsync(
            () => host.Widgets.LastError?.Contains("forbids listing") == true,
            "the error is that listing is forbidden"
        );
        _server.Intercept = _ => FakeApiServer.Error(401, "Unauthorized", "Unauthorized");
        await Eventually.HoldsAsync(
            () => host.Widgets.LastError?.Contains("rejected the credentials") == true,
            "the error is that the token is invalid"
        );
        _server.Intercept = null;
        await Eventually.HoldsAsync(() => host.Widgets.HasSynced, "it recovers");
        host.Logs.AtLeast(LogLevel.Warning).Should().HaveCount(3).And.OnlyContain(l => l.Exception == null);
    }

    [Fact]
    public async Task Five_consecutive_watch_failures_cause_a_list()
    {
        _server.Intercept = r => r.IsWatch ? FakeApiServer.Error(403, "Forbidden", "cannot watch") : null;
        await using var host = await TestHost.StartAsync(_server);
        await Eventually.HoldsAsync(() => Lists.Count() > 2, "it lists again");
        Watches.Count().Should().BeInRange(10, 14, "and not at each attempt");
        host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle().Which.Text.Should().Contain("forbids watching widgets.example.com");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Too_deeply_nested_object_is_skipped_alone(bool byWatch)
    {
        const int Depth = 500;
        void PutDeep() =>
            _server.Widgets(w =>
                w.Put(
                    new ResourceKey("default", "deep"),
                    new JsonObject
                    {
                        ["spec"] = Enumerable.Range(0, Depth).Aggregate(new JsonObject(), (inner, _) => new JsonObject { ["x"] = inner }),
                    }
                )
            );

        _server.PutWidget("a");
        if (!byWatch)
        {
            PutDeep();
        }

        await using var host = await TestHost.StartSyncedAsync(_server);
        if (byWatch)
        {
            PutDeep();
        }

        _server.PutWidget("b");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "b") is not null, "b arrives after the deep one");
        host.Widgets.Get("default", "a").Should().NotBeNull();
        host.Widgets.LastError.Should().BeNull();
    }

    [Fact]
    public async Task Undecodable_object_is_ignored_and_others_are_stored()
    {
        _server.PutWidget("bad", """{"spec":{"size":"not a number"}}""");
        _server.PutWidget("good");
        await using var host = await TestHost.StartSyncedAsync(_server);
        host.Widgets.List().Should().ContainSingle().Which.Metadata.Name.Should().Be("good");
        _server.PutWidget("worse", """{"spec":7}""");
        _server.PutWidget("later");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "later") is not null, "later ones arrive by watch");
        host.Logs.Lines.Where(l => l.Level == LogLevel.Warning)
            .Select(l => l.Text)
            .Should()
            .HaveCount(2)
            .And.Contain(text => text.Contains("default/bad"))
            .And.Contain(text => text.Contains("default/worse"));
    }

    [Fact]
    public async Task Object_that_becomes_undecodable_keeps_its_last_state()
    {
        _server.PutWidget("a", """{"spec":{"colour":"red"}}""");
        await using var host = await TestHost.StartSyncedAsync(_server);
        _server.PutWidget("a", """{"spec":{"size":"seven"}}""");
        _server.Widgets(c => c.Send("ERROR", new JsonObject { ["code"] = 410 }));
        await Eventually.HoldsAsync(() => Lists.Count() == 2, "it lists again");
        await Eventually.HoldsAsync(() => Watches.Count() == 2, "and watches");
        host.Widgets.Get("default", "a")!.Spec!.Colour.Should().Be("red");
    }

    [Fact]
    public async Task Managed_fields_are_removed_before_the_transform()
    {
        _server.PutWidget("a", """{"metadata":{"managedFields":[{"manager":"kubectl"}]},"spec":{"colour":"red","size":3}}""");
        await using var host = await TestHost.StartSyncedAsync(
            _server,
            c =>
                c.Informer<Widget>(i =>
                    i.Transform = w =>
                    {
                        w.Spec!.Size = null;
                        return w;
                    }
                )
        );
        var stored = host.Widgets.Get("default", "a")!;
        stored.Metadata.ManagedFields.Should().BeNull();
        stored.Spec!.Size.Should().BeNull();
        stored.Spec.Colour.Should().Be("red");
    }

    [Fact]
    public async Task Unknown_fields_are_preserved()
    {
        _server.PutWidget("a", """{"spec":{"future":{"deep":[1,2]}},"topLevel":true}""");
        await using var host = await TestHost.StartSyncedAsync(_server);
        var json = KubeLB.Api.Serialization.ApiJson.ToJson(host.Widgets.Get("default", "a")!);
        json["spec"]!["future"]!.ToJsonString().Should().Be("""{"deep":[1,2]}""");
        json["topLevel"]!.GetValue<bool>().Should().BeTrue();
    }

    [Fact]
    public async Task Namespace_and_selectors_are_part_of_requests()
    {
        _server.PutWidget("a", ns: "mine");
        _server.PutWidget("b", ns: "other");
        await using var host = await TestHost.StartSyncedAsync(
            _server,
            c =>
                c.Informer<Widget>(i =>
                {
                    i.Namespace = "mine";
                    i.LabelSelector = "app in (x,y)";
                })
        );
        host.Widgets.List().Should().ContainSingle();
        Lists.Single().Path.Should().Be("/apis/example.com/v1alpha1/namespaces/mine/widgets");
        Lists.Single().Query.Should().Contain("labelSelector=app%20in%20%28x%2Cy%29");
        Watches.First().Query.Should().Contain("labelSelector=app%20in%20%28x%2Cy%29");
        host.Widgets.Observe(
            new Widget
            {
                Metadata = new()
                {
                    Name = "c",
                    NamespaceProperty = "other",
                    ResourceVersion = "999",
                },
            }
        );
        host.Widgets.Get("other", "c").Should().BeNull();
    }
}
