using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using Envoy.Service.Endpoint.V3;
using Envoy.Service.Listener.V3;
using Envoy.Service.Route.V3;
using Envoy.Service.Secret.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>The state-of-the-world protocol over a real channel.</summary>
public sealed class StateOfTheWorldTests : IAsyncLifetime
{
    private XdsHost _host = null!;
    private SotwClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await XdsHost.StartAsync(o => o.ControlPlane = "test");
        _client = new SotwClient(_host.Connect());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Empty_first_request_receives_all_clusters_in_each_response()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        Clusters(first).Should().BeEquivalentTo("a", "b");
        first.ControlPlane.Identifier.Should().Be("test");
        await _client.AckAsync(first);

        Update(t => t.Remove(ResourceTypes.Cluster, "a").Set("c", Samples.Cluster("c")));
        var second = await _client.ReceiveAsync();
        Clusters(second).Should().BeEquivalentTo("b", "c");
        second.VersionInfo.Should().NotBe(first.VersionInfo);
    }

    [Fact]
    public async Task Equal_content_has_equal_versions_on_all_replicas()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var here = await _client.ReceiveAsync();

        await using var other = await XdsHost.StartAsync();
        other.Cache.Update("n", t => t.Set("b", Samples.Cluster("b")));
        other.Cache.Update("n", t => t.Set("a", Samples.Cluster("a", timeout: 1)));
        other.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        using var client = new SotwClient(other.Connect());
        await client.SendAsync(ResourceTypes.Cluster);
        (await client.ReceiveAsync()).VersionInfo.Should().Be(here.VersionInfo);
    }

    [Fact]
    public async Task Up_to_date_client_receives_no_response_before_a_change()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var version = (await _client.ReceiveAsync()).VersionInfo;
        using var again = new SotwClient(_host.Connect());
        await again.SendAsync(ResourceTypes.Cluster, version: version);
        await Eventually.HoldsAsync(
            () => _host.Streams.Describe().Any(s => s.Types.Any(t => t.AcknowledgedVersion == version)),
            "the comparison"
        );
        Update(t => t.Set("b", Samples.Cluster("b")));
        Clusters(await again.ReceiveAsync()).Should().BeEquivalentTo("a", "b");
    }

    [Fact]
    public async Task Reconnecting_client_receives_additional_names()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, ["a"]);
        var version = (await _client.ReceiveAsync()).VersionInfo;
        using var again = new SotwClient(_host.Connect());
        await again.SendAsync(ResourceTypes.ClusterLoadAssignment, ["a", "b"], version: version);
        Endpoints(await again.ReceiveAsync()).Should().Contain("b");
    }

    [Fact]
    public async Task Named_endpoints_are_sent_when_changed_or_requested()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)).Set("c", Samples.Endpoints("c", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, ["a", "b"]);
        var first = await _client.ReceiveAsync();
        Endpoints(first).Should().BeEquivalentTo("a", "b");
        await _client.AckAsync(first, "a", "b", "c");
        var second = await _client.ReceiveAsync();
        Endpoints(second).Should().Equal("c");
        await _client.AckAsync(second, "b", "c");
        await Eventually.HoldsAsync(() => Status().Names == 2 && !Status().Awaiting, "the acknowledgement");

        Update(t => t.Set("a", Samples.Endpoints("a", 2)).Set("b", Samples.Endpoints("b", 2)));
        Endpoints(await _client.ReceiveAsync()).Should().Equal("b");
    }

    [Fact]
    public async Task Empty_request_after_names_unsubscribes_them()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, ["a"]);
        await _client.AckAsync(await _client.ReceiveAsync());
        await Eventually.HoldsAsync(() => Status() is { Names: 0, Wildcard: false, Resources: 0 }, "the end of the subscription");
    }

    [Fact]
    public async Task Names_replace_an_implicit_wildcard()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.AckAsync(await _client.ReceiveAsync(), "b");
        var named = await _client.ReceiveAsync();
        Clusters(named).Should().Equal("b");
        await _client.AckAsync(named, "b");
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)).Set("b", Samples.Cluster("b", timeout: 1)));
        Clusters(await _client.ReceiveAsync()).Should().Equal("b");
    }

    [Fact]
    public async Task Wildcard_name_with_other_names_receives_everything()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster, ["*", "a"]);
        var all = await _client.ReceiveAsync();
        Clusters(all).Should().BeEquivalentTo("a", "b");
        await _client.AckAsync(all, "a");
        await Eventually.HoldsAsync(() => Status() is { Wildcard: false, Names: 1, Resources: 1 }, "the end of the wildcard");
    }

    [Fact]
    public async Task Missing_named_listener_results_in_an_empty_response()
    {
        Update(_ => { });
        await _client.SendAsync(ResourceTypes.Listener, ["absent"]);
        (await _client.ReceiveAsync()).Resources.Should().BeEmpty();
    }

    [Fact]
    public async Task Request_with_stale_nonce_is_ignored()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        await _client.AckAsync(first);
        Update(t => t.Set("b", Samples.Cluster("b")));
        var second = await _client.ReceiveAsync();
        await _client.SendAsync(ResourceTypes.Cluster, ["a"], first.VersionInfo, first.Nonce, error: "stale");
        await _client.AckAsync(second);
        await Eventually.HoldsAsync(() => !Status().Awaiting, "the acknowledgement");
        Status().Wildcard.Should().BeTrue();
        Status().Rejection.Should().BeNull();
        Status().AcknowledgedVersion.Should().Be(second.VersionInfo);
    }

    [Fact]
    public async Task Rejection_keeps_the_last_version_and_causes_no_resend()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var good = await _client.ReceiveAsync();
        await _client.AckAsync(good);
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)));
        var bad = await _client.ReceiveAsync();
        await _client.SendAsync(ResourceTypes.Cluster, version: good.VersionInfo, nonce: bad.Nonce, error: "bad timeout");
        await Eventually.HoldsAsync(() => Status().Rejection?.Message == "bad timeout", "the rejection");
        Status().AcknowledgedVersion.Should().Be(good.VersionInfo);

        Update(t => t.Set("a", Samples.Cluster("a")));
        var repaired = await _client.ReceiveAsync();
        repaired.VersionInfo.Should().Be(good.VersionInfo);
        await _client.AckAsync(repaired);
        await Eventually.HoldsAsync(() => Status().Rejection is null, "the end of the rejection");
    }

    [Fact]
    public async Task Each_service_serves_its_type()
    {
        Update(t =>
            t.AddCluster("a")
                .Set("r", Samples.Routes("r", "a"))
                .Set("l", Samples.Listener("l", "r"))
                .Set("s", new Envoy.Extensions.TransportSockets.Tls.V3.Secret { Name = "s" })
        );
        using var channel = _host.Connect();
        var services = new Dictionary<string, Func<GrpcChannel, AsyncDuplexStreamingCall<DiscoveryRequest, DiscoveryResponse>>>
        {
            [ResourceTypes.Cluster] = c =>
                new Envoy.Service.Cluster.V3.ClusterDiscoveryService.ClusterDiscoveryServiceClient(c).StreamClusters(),
            [ResourceTypes.ClusterLoadAssignment] = c => new EndpointDiscoveryService.EndpointDiscoveryServiceClient(c).StreamEndpoints(),
            [ResourceTypes.Listener] = c => new ListenerDiscoveryService.ListenerDiscoveryServiceClient(c).StreamListeners(),
            [ResourceTypes.RouteConfiguration] = c => new RouteDiscoveryService.RouteDiscoveryServiceClient(c).StreamRoutes(),
            [ResourceTypes.Secret] = c => new SecretDiscoveryService.SecretDiscoveryServiceClient(c).StreamSecrets(),
        };
        foreach (var (typeUrl, open) in services)
        {
            using var client = new SotwClient(channel, open: open);
            await client.SendAsync(typeUrl);
            var response = await client.ReceiveAsync();
            response.TypeUrl.Should().Be(typeUrl);
            response.Resources.Should().ContainSingle().Which.TypeUrl.Should().Be(typeUrl);
        }
    }

    private static IEnumerable<string> Clusters(DiscoveryResponse response) => response.Resources.Select(r => r.Unpack<Cluster>().Name);

    private static IEnumerable<string> Endpoints(DiscoveryResponse response) =>
        response.Resources.Select(r => r.Unpack<ClusterLoadAssignment>().ClusterName);

    private void Update(Action<ResourceTransaction> change) => _host.Cache.Update("n", change);

    private XdsTypeStatus Status() => _host.Streams.Describe().Single().Types.Single();
}
