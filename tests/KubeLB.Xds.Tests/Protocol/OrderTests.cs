using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>On an aggregated stream nothing refers to what is not there: make before break.</summary>
public sealed class OrderTests : IAsyncLifetime
{
    private static readonly string[] All =
    [
        ResourceTypes.Cluster,
        ResourceTypes.ClusterLoadAssignment,
        ResourceTypes.Listener,
        ResourceTypes.RouteConfiguration,
    ];

    private XdsHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await XdsHost.StartAsync();
        _host.Cache.Update(
            "n",
            t => t.AddCluster("old").Set("routes", Samples.Routes("routes", "old")).Set("listener", Samples.Listener("listener", "routes"))
        );
    }

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Additions_are_sent_bottom_up_and_then_removals_top_down()
    {
        using var client = await SubscribedAsync();
        _host.Cache.Update(
            "n",
            t =>
                t.RemoveCluster("old")
                    .Remove(ResourceTypes.RouteConfiguration, "routes")
                    .Remove(ResourceTypes.Listener, "listener")
                    .AddCluster("new")
                    .Set("routes2", Samples.Routes("routes2", "new"))
                    .Set("listener2", Samples.Listener("listener2", "routes2"))
        );
        var order = new List<string>();
        while (order.Count < 7)
        {
            var response = await client.TakeAsync();
            var kind = response.TypeUrl.Split('.')[^1];
            order.Add($"{kind} +{string.Join(',', response.Resources.Select(r => r.Name))} -{string.Join(',', response.RemovedResources)}");
        }

        order
            .Should()
            .Equal(
                "Cluster +new -",
                "ClusterLoadAssignment +new -",
                "Listener +listener2 -listener",
                "RouteConfiguration +routes2 -",
                "RouteConfiguration + -routes",
                "ClusterLoadAssignment + -old",
                "Cluster + -old"
            );
    }

    // Envoy acknowledges a cluster after warming it, which requires its endpoints.
    [Fact]
    public async Task Listener_waits_for_the_cluster_acknowledgement_and_endpoints_do_not()
    {
        using var client = await SubscribedAsync();
        _host.Cache.Update("n", t => t.AddCluster("new").Set("listener2", Samples.Listener("listener2", "routes")));
        var cluster = await client.ReceiveAsync();
        cluster.TypeUrl.Should().Be(ResourceTypes.Cluster);
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.ClusterLoadAssignment);

        // Once this is answered, the answer to the endpoints has been seen: the listener would be due but for the cluster.
        await client.SendAsync(ResourceTypes.Secret, subscribe: ["absent"]);
        (await client.TakeAsync()).RemovedResources.Should().Equal("absent");
        Status(ResourceTypes.Listener).Awaiting.Should().BeFalse();
        await client.AckAsync(cluster);
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Listener);
    }

    [Fact]
    public async Task Endpoints_of_an_earlier_cluster_are_resent_before_the_acknowledgement()
    {
        using var client = await SubscribedAsync(endpoints: ["old"]);
        _host.Cache.Update("n", t => t.Set("new", Samples.Cluster("new", endpoints: "old")));
        var cluster = await client.ReceiveAsync();
        (await client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("old");
        await client.AckAsync(cluster);
        _host.Cache.Update("n", t => t.RemoveCluster("new"));
        (await client.TakeAsync()).RemovedResources.Should().Equal("new");
    }

    [Fact]
    public async Task Frequent_cluster_changes_do_not_starve_listeners()
    {
        using var client = await SubscribedAsync(endpoints: ["old"]);
        _host.Cache.Update(
            "n",
            t => t.Set("a", Samples.Cluster("a", endpoints: "none")).Set("listener-a", Samples.Listener("listener-a", "routes"))
        );
        var first = await client.ReceiveAsync();

        // Before the answer comes the next: its listener refers to what has not been sent.
        _host.Cache.Update(
            "n",
            t => t.Set("b", Samples.Cluster("b", endpoints: "none")).Set("listener-b", Samples.Listener("listener-b", "routes"))
        );
        await client.AckAsync(first);
        var order = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var response = await client.TakeAsync();
            order.Add($"{response.TypeUrl.Split('.')[^1]} {string.Join(',', response.Resources.Select(r => r.Name))}");
        }

        order.Should().Equal("Listener listener-a", "Cluster b", "Listener listener-b");
    }

    [Fact]
    public async Task Rejected_cluster_does_not_block_other_types()
    {
        using var client = await SubscribedAsync();
        _host.Cache.Update("n", t => t.AddCluster("bad").AddCluster("good").Set("routes", Samples.Routes("routes", "good")));
        await client.NackAsync(await client.ReceiveAsync(), "bad");
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.ClusterLoadAssignment);
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.RouteConfiguration);
    }

    [Fact]
    public async Task Removals_after_a_rejected_route_table_wait_for_an_accepted_one()
    {
        using var client = await SubscribedAsync();
        _host.Cache.Update("n", t => t.Set("routes", Samples.Routes("routes", "nowhere")).RemoveCluster("old"));
        await client.NackAsync(await client.ReceiveAsync(), "no cluster");
        await Eventually.HoldsAsync(() => Status(ResourceTypes.RouteConfiguration).Rejection is not null, "the rejection");
        Status(ResourceTypes.Cluster).Resources.Should().Be(1, "the client still routes to it");
        _host.Cache.Update("n", t => t.AddCluster("new").Set("routes", Samples.Routes("routes", "new")));
        var types = new List<string>();
        while (!types.Contains("-old"))
        {
            var response = await client.TakeAsync();
            types.AddRange(response.RemovedResources.Where(_ => response.TypeUrl == ResourceTypes.Cluster).Select(r => "-" + r));
            types.AddRange(response.Resources.Where(_ => response.TypeUrl == ResourceTypes.RouteConfiguration).Select(r => "+" + r.Name));
        }

        types.Should().Equal("+routes", "-old");
    }

    [Fact]
    public async Task Endpoints_of_a_changed_cluster_are_resent_for_warming()
    {
        using var client = await SubscribedAsync();
        _host.Cache.Update("n", t => t.Set("old", Samples.Cluster("old", timeout: 1)));
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Cluster);
        var endpoints = await client.TakeAsync();
        endpoints.TypeUrl.Should().Be(ResourceTypes.ClusterLoadAssignment);
        endpoints.Resources.Select(r => r.Name).Should().Equal("old");
    }

    [Fact]
    public async Task Shared_endpoints_are_resent_for_a_new_cluster()
    {
        using var client = await SubscribedAsync(endpoints: ["old"]);
        _host.Cache.Update("n", t => t.Set("new", Samples.Cluster("new", endpoints: "old")));
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Cluster);
        var endpoints = await client.TakeAsync();
        endpoints.TypeUrl.Should().Be(ResourceTypes.ClusterLoadAssignment);
        endpoints.Resources.Select(r => r.Name).Should().Equal("old");
    }

    [Fact]
    public async Task Shared_endpoints_are_resent_in_the_state_of_the_world()
    {
        using var client = new SotwClient(_host.Connect());
        foreach (
            var (typeUrl, names) in new[] { (ResourceTypes.Cluster, Array.Empty<string>()), (ResourceTypes.ClusterLoadAssignment, ["old"]) }
        )
        {
            await client.SendAsync(typeUrl, names);
            await client.AckAsync(await client.ReceiveAsync(), names);
        }

        _host.Cache.Update("n", t => t.Set("new", Samples.Cluster("new", endpoints: "old")));
        var clusters = await client.ReceiveAsync();
        Clusters(clusters).Should().BeEquivalentTo("old", "new");
        await client.AckAsync(clusters);
        var endpoints = await client.ReceiveAsync();
        endpoints.Resources.Select(r => r.Unpack<ClusterLoadAssignment>().ClusterName).Should().Equal("old");
    }

    [Fact]
    public async Task Reconnecting_client_receives_held_endpoints_of_a_new_cluster()
    {
        var endpoints = _host.Cache.Find("n", ResourceTypes.ClusterLoadAssignment, "old")!;
        var had = Had(ResourceTypes.Cluster, "old");
        _host.Cache.Update("n", t => t.Set("new", Samples.Cluster("new", endpoints: "old")));
        using var client = new DeltaClient(_host.Connect());
        await client.SendAsync(ResourceTypes.Cluster, has: had);
        (await client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("new");
        await client.SendAsync(
            ResourceTypes.ClusterLoadAssignment,
            subscribe: ["old"],
            has: Had(ResourceTypes.ClusterLoadAssignment, "old")
        );
        (await client.TakeAsync()).Resources.Should().ContainSingle().Which.Version.Should().Be(endpoints.Version);
    }

    [Fact]
    public async Task Reconnecting_client_with_all_clusters_receives_no_held_endpoints()
    {
        _host.Cache.Update("n", t => t.AddCluster("other"));
        using var client = new DeltaClient(_host.Connect());
        await client.SendAsync(ResourceTypes.Cluster, has: Had(ResourceTypes.Cluster, "old", "other"));
        await client.SendAsync(
            ResourceTypes.ClusterLoadAssignment,
            subscribe: ["old", "other"],
            has: Had(ResourceTypes.ClusterLoadAssignment, "old")
        );
        (await client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("other");
    }

    [Fact]
    public async Task State_of_the_world_removes_a_cluster_after_its_routes()
    {
        using var client = new SotwClient(_host.Connect());
        foreach (var typeUrl in (string[])[ResourceTypes.Cluster, ResourceTypes.RouteConfiguration])
        {
            await client.SendAsync(typeUrl);
            await client.AckAsync(await client.ReceiveAsync());
        }

        _host.Cache.Update("n", t => t.RemoveCluster("old").AddCluster("new").Set("routes", Samples.Routes("routes", "new")));
        var responses = new List<DiscoveryResponse>();
        for (var i = 0; i < 3; i++)
        {
            responses.Add(await client.ReceiveAsync());
            await client.AckAsync(responses[^1]);
        }

        Clusters(responses[0]).Should().BeEquivalentTo("old", "new");
        responses[1].TypeUrl.Should().Be(ResourceTypes.RouteConfiguration);
        Clusters(responses[2]).Should().Equal("new");
    }

    private static IEnumerable<string> Clusters(DiscoveryResponse response) => response.Resources.Select(r => r.Unpack<Cluster>().Name);

    // Subscribes to everything, as Envoy does, and acknowledges it.
    private async Task<DeltaClient> SubscribedAsync(string[]? endpoints = null)
    {
        var client = new DeltaClient(_host.Connect());
        foreach (var typeUrl in All)
        {
            await client.SendAsync(typeUrl, subscribe: typeUrl == ResourceTypes.ClusterLoadAssignment ? endpoints : null);
            (await client.TakeAsync()).TypeUrl.Should().Be(typeUrl);
        }

        await Eventually.HoldsAsync(() => _host.Streams.Describe().Single().Types.All(t => !t.Awaiting), "the acknowledgements");
        return client;
    }

    private Dictionary<string, string> Had(string typeUrl, params string[] names) =>
        names.ToDictionary(n => n, n => _host.Cache.Find("n", typeUrl, n)!.Version);

    private XdsTypeStatus Status(string typeUrl) => _host.Streams.Describe().Single().Types.Single(t => t.TypeUrl == typeUrl);
}
