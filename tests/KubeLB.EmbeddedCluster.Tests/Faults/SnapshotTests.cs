using KubeLB.EmbeddedCluster.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.EmbeddedCluster.Tests.Faults;

/// <summary>A cluster whose storage is put back to an earlier copy, as a restored etcd backup does.</summary>
public sealed class SnapshotTests : IAsyncLifetime, IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Services = "/api/v1/namespaces/default/services";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false, TimeProvider = _time });
        _api = new Api(_cluster);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task Restored_snapshot_has_the_objects_uids_and_versions_of_then()
    {
        var kept = await CreateAsync("kept");
        var deleted = await CreateAsync("deleted");
        var snapshot = _cluster.Faults.TakeSnapshot();
        (await _api.MergeAsync($"{Maps}/kept", """{"data":{"k":"later"}}""")).ShouldBe(200);
        (await _api.DeleteAsync($"{Maps}/deleted")).ShouldBe(200);
        await CreateAsync("later");

        _cluster.Faults.RestoreSnapshot(snapshot);

        (await _api.GetAsync($"{Maps}/kept")).ShouldBe(200).Text.Should().Be(kept.Text);
        (await _api.GetAsync($"{Maps}/deleted")).ShouldBe(200).TextAt("metadata.uid").Should().Be(deleted.TextAt("metadata.uid"));
        (await _api.GetAsync($"{Maps}/later")).ShouldBe(404);
        (await _api.GetAsync(Maps)).TextAt("metadata.resourceVersion").Should().Be(snapshot.Revision.ToString());
        var next = await CreateAsync("next");
        long.Parse(next.TextAt("metadata.resourceVersion")!)
            .Should()
            .Be(snapshot.Revision + 1, "versions continue from those of the snapshot");
    }

    [Fact]
    public async Task Restored_snapshot_ends_watches_and_a_watch_from_a_later_version_gets_nothing_until_versions_pass_it()
    {
        var snapshot = _cluster.Faults.TakeSnapshot();
        var versions = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            versions.Add((await CreateAsync($"before{i}")).TextAt("metadata.resourceVersion")!);
        }
        using var open = await _api.WatchAsync($"{Maps}?watch=1&resourceVersion={versions[^1]}&allowWatchBookmarks=1");

        _cluster.Faults.RestoreSnapshot(snapshot);

        (await open.NextAsync()).Should().BeNull("the restart of the API server ends it");
        using var resumed = await _api.WatchAsync($"{Maps}?watch=1&resourceVersion={versions[^1]}&allowWatchBookmarks=1");
        resumed.Status.Should().Be(200);
        for (var i = 0; i < 3; i++)
        {
            await CreateAsync($"after{i}");
        }
        _time.Advance(TimeSpan.FromMinutes(2));
        await CreateAsync("first-that-is-newer");
        var next = await resumed.NextNameAsync();
        while (next == "BOOKMARK ")
        {
            next = await resumed.NextNameAsync();
        }
        next.Should().Be("ADDED first-that-is-newer");
    }

    [Fact]
    public async Task Restored_snapshot_brings_definitions_and_their_objects_back_and_removes_later_ones()
    {
        var crd = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Fixtures", "gadgets.crd.yaml"));
        var without = _cluster.Faults.TakeSnapshot();
        await _cluster.InstallCrdsAsync(crd);
        (
            await _api.PostAsync(
                Gadgets,
                """{"apiVersion":"shop.example.com/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"size":1}}"""
            )
        ).ShouldBe(201);
        var with = _cluster.Faults.TakeSnapshot();

        _cluster.Faults.RestoreSnapshot(without);
        (await _api.GetAsync(Gadgets)).ShouldBe(404);
        _cluster.Faults.RestoreSnapshot(with);
        (await _api.GetAsync($"{Gadgets}/g")).ShouldBe(200);
    }

    [Fact]
    public async Task Restored_snapshot_takes_the_node_ports_of_its_services()
    {
        (await _api.PostAsync(Services, NodePort("a", 30001))).ShouldBe(201);
        var snapshot = _cluster.Faults.TakeSnapshot();
        (await _api.DeleteAsync($"{Services}/a")).ShouldBe(200);
        (await _api.PostAsync(Services, NodePort("b", 30002))).ShouldBe(201);

        _cluster.Faults.RestoreSnapshot(snapshot);

        (await _api.PostAsync(Services, NodePort("c", 30001))).ShouldBe(422).Message.Should().Contain("already allocated");
        (await _api.PostAsync(Services, NodePort("d", 30002))).ShouldBe(201);
    }

    private const string Gadgets = "/apis/shop.example.com/v1/namespaces/default/gadgets";

    private async Task<Reply> CreateAsync(string name) =>
        (await _api.PostAsync(Maps, $$$"""{"metadata":{"name":"{{{name}}}"} }""")).ShouldBe(201);

    private static string NodePort(string name, int port) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":{{{port}}} }]} }""";
}
