using Envoy.Service.Cluster.V3;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>The incremental protocol over a real channel.</summary>
public sealed class DeltaTests : IAsyncLifetime
{
    private XdsHost _host = null!;
    private DeltaClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await XdsHost.StartAsync(o => o.ResendEndpointsOfClusters = false);
        _client = new DeltaClient(_host.Connect());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Wildcard_receives_everything_then_only_changes()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var all = await _client.TakeAsync();
        all.Resources.Select(r => r.Name).Should().BeEquivalentTo("a", "b");
        all.Resources.Should().OnlyContain(r => r.Resource_.TypeUrl == ResourceTypes.Cluster && r.Version.Length == 16);

        Update(t => t.Set("b", Samples.Cluster("b", timeout: 9)).Set("a", Samples.Cluster("a")));
        var changed = await _client.TakeAsync();
        changed.Resources.Should().ContainSingle().Which.Name.Should().Be("b");
        changed.Nonce.Should().NotBe(all.Nonce);
    }

    [Fact]
    public async Task Removed_resource_is_listed_as_removed()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        Update(t => t.Remove(ResourceTypes.Cluster, "a"));
        var removed = await _client.TakeAsync();
        removed.RemovedResources.Should().Equal("a");
        removed.Resources.Should().BeEmpty();
    }

    [Fact]
    public async Task Reconnecting_client_receives_only_changes()
    {
        Update(t => t.Set("same", Samples.Cluster("same")).Set("changed", Samples.Cluster("changed")).Set("gone", Samples.Cluster("gone")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var has = (await _client.TakeAsync()).Resources.ToDictionary(r => r.Name, r => r.Version);
        _client.Dispose();
        Update(t => t.Set("changed", Samples.Cluster("changed", timeout: 1)).Remove(ResourceTypes.Cluster, "gone"));

        using var again = new DeltaClient(_host.Connect());
        await again.SendAsync(ResourceTypes.Cluster, has: has);
        var difference = await again.TakeAsync();
        difference.Resources.Select(r => r.Name).Should().Equal("changed");
        difference.RemovedResources.Should().Equal("gone");
    }

    [Fact]
    public async Task Up_to_date_reconnecting_client_receives_no_response_before_a_change()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        var version = _host.Cache.Find("n", ResourceTypes.Cluster, "a")!.Version;
        await _client.SendAsync(ResourceTypes.Cluster, has: new Dictionary<string, string> { ["a"] = version });
        await Eventually.HoldsAsync(() => _host.Streams.Count == 1, "the stream");
        Update(t => t.Set("b", Samples.Cluster("b")));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task Names_can_be_subscribed_and_unsubscribed()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)).Set("c", Samples.Endpoints("c", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a", "b"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().BeEquivalentTo("a", "b");

        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["c"], unsubscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("c");

        Update(t => t.Set("a", Samples.Endpoints("a", 2)).Set("b", Samples.Endpoints("b", 2)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task Missing_name_is_listed_as_removed_and_sent_when_added()
    {
        Update(_ => { });
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["later"]);
        (await _client.TakeAsync()).RemovedResources.Should().Equal("later");
        Update(t => t.Set("later", Samples.Endpoints("later", 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("later");
    }

    [Fact]
    public async Task Repeated_subscription_resends_the_resource()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("a");
    }

    [Fact]
    public async Task Unsubscribed_name_under_a_wildcard_is_resent_or_removed()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["*", "a", "absent"]);
        var first = await _client.TakeAsync();
        first.RemovedResources.Should().Equal("absent");
        await _client.SendAsync(ResourceTypes.Cluster, unsubscribe: ["a", "absent"]);
        var again = await _client.TakeAsync();
        again.Resources.Select(r => r.Name).Should().Equal("a");
        again.RemovedResources.Should().Equal("absent");
    }

    [Fact]
    public async Task Wildcard_is_unsubscribed_by_its_name()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["b"], unsubscribe: ["*"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)).Set("b", Samples.Cluster("b", timeout: 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task Implicit_wildcard_is_kept_when_a_name_is_added()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("a");
        Update(t => t.Set("b", Samples.Cluster("b", timeout: 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task Starting_client_receives_an_empty_response()
    {
        Update(_ => { });
        await _client.SendAsync(ResourceTypes.Cluster);
        var answer = await _client.TakeAsync();
        answer.Resources.Should().BeEmpty();
        answer.RemovedResources.Should().BeEmpty();
    }

    [Fact]
    public async Task Uninitialized_node_receives_no_response()
    {
        await _client.SendAsync(ResourceTypes.Cluster, has: new Dictionary<string, string> { ["kept"] = "1" });
        await Eventually.HoldsAsync(() => _host.Streams.Count == 1, "the stream");
        Update(t => t.Set("new", Samples.Cluster("new")));
        var answer = await _client.TakeAsync();
        answer.Resources.Select(r => r.Name).Should().Equal("new");
        answer.RemovedResources.Should().Equal("kept");
    }

    [Fact]
    public async Task Rejected_resource_is_not_resent_and_its_error_is_kept()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var good = await _client.TakeAsync();
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)));
        await _client.NackAsync(await _client.ReceiveAsync(), "no such thing");
        await Eventually.HoldsAsync(() => Status().Rejection is not null, "the rejection");
        var rejection = Status().Rejection!;
        (rejection.Message, rejection.Code, rejection.TypeUrl).Should().Be(("no such thing", 3, ResourceTypes.Cluster));
        rejection.Resources.Should().Equal("a");
        Status().AcknowledgedVersion.Should().Be(good.SystemVersionInfo);

        Update(t => t.Set("b", Samples.Cluster("b")));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        await Eventually.HoldsAsync(() => Status().Rejection is null, "the end of the rejection");
    }

    [Fact]
    public async Task Changes_during_an_unacknowledged_response_are_coalesced()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        for (var i = 1; i <= 50; i++)
        {
            var timeout = i;
            Update(t => t.Set("a", Samples.Cluster("a", timeout)).Set($"short-lived-{timeout}", Samples.Cluster("s")));
            Update(t => t.Remove(ResourceTypes.Cluster, $"short-lived-{timeout}"));
        }

        await _client.AckAsync(first);
        var newest = await _client.TakeAsync();
        newest.Resources.Should().ContainSingle().Which.Version.Should().Be(_host.Cache.Find("n", ResourceTypes.Cluster, "a")!.Version);
        newest.RemovedResources.Should().BeEmpty();
    }

    [Fact]
    public async Task Stale_nonce_is_no_acknowledgement_but_changes_the_subscription()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        var first = await _client.TakeAsync();
        Update(t => t.Set("a", Samples.Endpoints("a", 2)));
        var second = await _client.ReceiveAsync();
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["b"], nonce: first.Nonce, error: "stale");
        await _client.AckAsync(second);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        Status().Rejection.Should().BeNull();
    }

    [Fact]
    public async Task Slow_client_receives_removals_after_compaction()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("z", Samples.Cluster("z")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        Update(t => t.Remove(ResourceTypes.Cluster, "z"));
        for (var i = 0; i < 1000; i++)
        {
            var name = $"s{i}";
            Update(t => t.Set(name, Samples.Cluster(name)));
            Update(t => t.Remove(ResourceTypes.Cluster, name));
        }

        await _client.AckAsync(first);
        (await _client.TakeAsync()).RemovedResources.Should().Equal("z");
    }

    [Fact]
    public async Task Service_of_one_type_serves_that_type()
    {
        Update(t => t.AddCluster("a"));
        using var clusters = new DeltaClient(
            _host.Connect(),
            open: c => new ClusterDiscoveryService.ClusterDiscoveryServiceClient(c).DeltaClusters()
        );
        await clusters.SendAsync("");
        (await clusters.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Cluster);
        await clusters.SendAsync(ResourceTypes.Listener);
        (await clusters.EndAsync()).Status.Detail.Should().Contain(ResourceTypes.Listener);
    }

    private void Update(Action<ResourceTransaction> change) => _host.Cache.Update("n", change);

    private XdsTypeStatus Status() => _host.Streams.Describe().Single().Types.Single();
}
