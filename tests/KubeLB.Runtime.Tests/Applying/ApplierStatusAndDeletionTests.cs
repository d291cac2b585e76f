using System.Text.Json.Nodes;
using k8s.Autorest;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;

namespace KubeLB.Runtime.Tests.Applying;

public sealed class ApplierStatusAndDeletionTests : IAsyncLifetime
{
    private static readonly ResourceKey Key = new("default", "w");

    private readonly FakeApiServer _server = new();
    private TestHost _host = null!;

    private Widget Cached => _host.Widgets.Get(Key)!;

    private JsonObject LastBody => (JsonObject)JsonNode.Parse(_server.Writes.Last().Body)!;

    public async ValueTask InitializeAsync()
    {
        _server.PutWidget("w", """{"spec":{"colour":"red"}}""");
        _host = await TestHost.StartSyncedAsync(_server);
    }

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Status_is_applied_once()
    {
        var status = JsonNode.Parse("""{"phase":"Ready","extra":{"a":1,"b":2}}""")!;
        (await _host.Applier.ApplyStatusAsync(_host.Cluster, Cached, status, default)).Outcome.Should().Be(ApplyOutcome.Patched);
        _server.Writes.Single().Path.Should().EndWith("/widgets/w/status");
        (await _host.Applier.ApplyStatusAsync(_host.Cluster, Cached, status, default)).Outcome.Should().Be(ApplyOutcome.Unchanged);

        await _host.Applier.ApplyStatusAsync(_host.Cluster, Cached, JsonNode.Parse("""{"extra":{"b":2}}""")!, default);
        LastBody.ToJsonString().Should().Be("""{"status":{"phase":null,"extra":{"a":null}}}""");
        Cached.Status!.Phase.Should().BeNull();
    }

    [Fact]
    public async Task Time_with_a_dropped_fraction_is_equal()
    {
        await _host.Applier.ApplyStatusAsync(_host.Cluster, Cached, JsonNode.Parse("""{"since":"2026-01-01T10:00:00Z"}""")!, default);
        var again = await _host.Applier.ApplyStatusAsync(
            _host.Cluster,
            Cached,
            JsonNode.Parse("""{"since":"2026-01-01T10:00:00.654321Z"}""")!,
            default
        );
        again.Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Status_that_is_not_an_object_is_rejected()
    {
        var apply = () => _host.Applier.ApplyStatusAsync(_host.Cluster, Cached, JsonNode.Parse("[]")!, default);
        await apply.Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task Guarded_status_patch_of_a_changed_object_fails_with_conflict()
    {
        var stale = Cached;
        _server.PutWidget("w", """{"spec":{"colour":"blue"}}""");
        var patch = () =>
            _host.Applier.PatchStatusAsync(_host.Cluster, stale, new JsonObject { ["phase"] = "Ready" }, guarded: true, default);
        (await patch.Should().ThrowAsync<HttpOperationException>())
            .Which.Response.StatusCode.Should()
            .Be(System.Net.HttpStatusCode.Conflict);

        var unguarded = await _host.Applier.PatchStatusAsync(
            _host.Cluster,
            stale,
            new JsonObject { ["phase"] = "Ready" },
            guarded: false,
            default
        );
        unguarded.Outcome.Should().Be(ApplyOutcome.Patched);
        Cached.Spec!.Colour.Should().Be("blue", "the answer entered the cache");
        var again = await _host.Applier.PatchStatusAsync(
            _host.Cluster,
            Cached,
            new JsonObject { ["phase"] = "Ready" },
            guarded: true,
            default
        );
        again.Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Deleted_object_leaves_the_cache_and_late_events_are_ignored()
    {
        var changes = new List<Change<Widget>>();
        var w = Cached;
        using var subscription = _host.Widgets.Subscribe(changes.Add);
        (await _host.Applier.DeleteAsync(_host.Cluster, w, default)).Should().BeTrue();
        _host.Widgets.Get(Key).Should().BeNull();
        LastBody["preconditions"]!["uid"]!.ToString().Should().Be(w.Metadata.Uid);
        (await _host.Applier.DeleteAsync(_host.Cluster, w, default)).Should().BeFalse("it was gone already");

        _server.PutWidget("other");
        await Eventually.HoldsAsync(() => _host.Widgets.Get("default", "other") is not null, "the watch has passed the deletion");
        changes.Count(c => c.New is null).Should().Be(1);
    }

    [Fact]
    public async Task Object_with_another_uid_is_not_deleted()
    {
        var old = Cached;
        _server.Widgets(c => c.Delete(Key));
        _server.PutWidget("w");
        var delete = () => _host.Applier.DeleteAsync(_host.Cluster, old, default);
        (await delete.Should().ThrowAsync<HttpOperationException>())
            .Which.Response.StatusCode.Should()
            .Be(System.Net.HttpStatusCode.Conflict);
        await Eventually.HoldsAsync(
            () => _host.Widgets.Get(Key) is { } now && now.Metadata.Uid != old.Metadata.Uid,
            "the new one is in the cache"
        );
    }

    [Fact]
    public async Task Object_with_finalizer_stays_cached_until_it_is_removed()
    {
        var w = await _host.Applier.EnsureFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        w.Metadata.Finalizers.Should().Equal("example.com/f");
        await _host.Applier.EnsureFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        _server.Writes.Should().ContainSingle("the second time there is nothing to do");

        await _host.Applier.DeleteAsync(_host.Cluster, Cached, default);
        Cached.Metadata.DeletionTimestamp.Should().NotBeNull();
        await _host.Applier.RemoveFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        _host.Widgets.Get(Key).Should().BeNull();
        _server.Widgets(c => c.Objects.ContainsKey(Key)).Should().BeFalse();
    }

    [Fact]
    public async Task Other_finalizers_are_kept_and_a_stale_list_is_rejected()
    {
        var stale = await _host.Applier.EnsureFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        _server.Widgets(c =>
            c.Patch(Key, (JsonObject)JsonNode.Parse("""{"metadata":{"finalizers":["example.com/f","their/f"]}}""")!, false)
        );
        var remove = () => _host.Applier.RemoveFinalizerAsync(_host.Cluster, stale, "example.com/f", default);
        await remove.Should().ThrowAsync<HttpOperationException>();
        await Eventually.HoldsAsync(() => Cached.Metadata.Finalizers.Count == 2, "the cache shows both");
        var left = await _host.Applier.RemoveFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        left.Metadata.Finalizers.Should().Equal("their/f");
        (await _host.Applier.RemoveFinalizerAsync(_host.Cluster, Cached, "example.com/f", default)).Should().BeSameAs(Cached);
    }

    [Fact]
    public async Task Removing_a_finalizer_from_a_deleted_object_succeeds()
    {
        var w = await _host.Applier.EnsureFinalizerAsync(_host.Cluster, Cached, "example.com/f", default);
        _server.Widgets(c => c.Vanish(Key));
        (await _host.Applier.RemoveFinalizerAsync(_host.Cluster, w, "example.com/f", default)).Should().BeSameAs(w);
    }
}
