using CsCheck;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using KubeLB.Manager.Proxies;
using KubeLB.Translation.Proxies;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Tests.Proxies;

public sealed class TenantConfigurationTests
{
    private const string Node = "tenant-t";

    private readonly ResourceCache _cache = new();
    private readonly TenantConfiguration _configuration = new();

    [Fact]
    public void Port_results_in_listener_cluster_and_endpoints()
    {
        Nodes("10.0.0.1", "10.0.0.2");
        Route("r", Port("web", 12000, 30080));

        Names(ResourceTypes.Listener).Should().Equal("web");
        Get<Listener>("web").Address.SocketAddress.PortValue.Should().Be(12000);
        Get<Cluster>("web").EdsClusterConfig.ServiceName.Should().Be("nodeport-30080");
        Get<ClusterLoadAssignment>("nodeport-30080")
            .Endpoints.Single()
            .LbEndpoints.Select(e => (e.Endpoint.Address.SocketAddress.Address, e.Endpoint.Address.SocketAddress.PortValue))
            .Should()
            .Equal(("10.0.0.1", 30080u), ("10.0.0.2", 30080u));
    }

    [Fact]
    public void Cluster_ejects_failed_nodes_without_health_checks()
    {
        Route("r", Port("web", 12000, 30080));

        var cluster = Get<Cluster>("web");
        cluster.HealthChecks.Should().BeEmpty();
        cluster.CommonLbConfig.HealthyPanicThreshold.Value.Should().Be(1, "0 would never try an ejected node, not even if all are ejected");
        var ejection = cluster.OutlierDetection;
        ejection.SplitExternalLocalOriginErrors.Should().BeTrue();
        (
            ejection.EnforcingConsecutive5Xx,
            ejection.EnforcingConsecutiveGatewayFailure,
            ejection.EnforcingSuccessRate,
            ejection.EnforcingLocalOriginSuccessRate
        )
            .Should()
            .Be((0u, 0u, 0u, 0u), "errors of the application do not eject a node");
        (ejection.MaxEjectionTime + ejection.MaxEjectionTimeJitter + ejection.Interval)
            .ToTimeSpan()
            .Should()
            .BeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData(12000)]
    [InlineData(11999)]
    [InlineData(12001)]
    public void Service_moved_to_another_Route_keeps_its_listener(int portAtTheOther)
    {
        Route("a", Port("web", 12000, 30080));
        Route("b", Port("web", portAtTheOther, 30080));
        Route("a");

        Get<Listener>("web").Address.SocketAddress.PortValue.Should().Be((uint)portAtTheOther);
        Get<Cluster>("web").EdsClusterConfig.ServiceName.Should().Be("nodeport-30080");
        Names(ResourceTypes.ClusterLoadAssignment).Should().Equal("nodeport-30080");
    }

    [Fact]
    public void Http2_port_results_in_an_Http2_cluster()
    {
        Route("r", Port("web", 12000, 30080), Port("rpc", 12001, 30081, ProxyProtocol.Http2));

        Get<Cluster>("web").TypedExtensionProtocolOptions.Should().BeEmpty();
        Get<Cluster>("rpc").TypedExtensionProtocolOptions.Should().ContainKey("envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    }

    [Fact]
    public void Changed_nodes_update_only_endpoints_once_per_node_port()
    {
        Nodes("10.0.0.1");
        Route("a", Port("a", 12000, 30080));
        Route("b", Port("b", 12001, 30080));
        var before = Versions();

        Nodes("10.0.0.1", "10.0.0.2");

        Changed(before).Should().Equal("nodeport-30080");
    }

    [Theory]
    [InlineData("10.0.{0}.{1}")]
    [InlineData("2001:db8:aaaa:bbbb:cccc:dddd:{0}:{1}")]
    [InlineData("a-name-as-long-as-names-may-be.{0}.{1}.example.com.")]
    [Trait("Threat", "many-endpoints")]
    public void Endpoints_beyond_the_limit_are_removed_from_the_highest_node_ports(string pattern)
    {
        const int Bytes = 200_000;
        var configuration = new TenantConfiguration(endpointBytes: Bytes);
        string[] nodes =
        [
            .. Enumerable
                .Range(0, 100)
                .Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, i / 10, i % 10)),
        ];
        _cache.Update(Node, change => configuration.SetNodes(nodes, change));
        configuration.Excess.Should().BeNull();
        var ports = Enumerable.Range(0, 1000).Select(i => Port($"p{i}", 12000 + i, 20000 + i)).ToArray();

        _cache.Update(Node, change => configuration.SetRoute("many", ports, change));
        EndpointBytes(ports.Length).Should().BeInRange(1, Bytes * 2);
        var excess = configuration.Excess!;
        (excess.Addresses, excess.NodePorts, excess.From + excess.NotServed).Should().Be((100, 1000, 21_000));
        excess.From.Should().BeInRange(20_001, 20_100);
        AtOnce(ports).Should().Equal(Versions(), "the same for the same ports and nodes, however they came");

        // A port more concerns no other list than the one that no longer fits.
        var before = Versions();
        _cache.Update(Node, change => configuration.SetRoute("low", [Port("low", 11_999, 19_999)], change));
        Changed(before)
            .Where(name => !name.Contains("low", StringComparison.Ordinal) && name != "nodeport-19999")
            .Should()
            .ContainSingle()
            .Which.Should()
            .EndWith($"{excess.From - 20_001}");
        _cache.Update(Node, change => configuration.SetRoute("low", [], change));

        // Within the limit again, all is served.
        _cache.Update(Node, change => configuration.SetRoute("many", ports[..10], change));
        EndpointBytes(10).Should().BeGreaterThan(10 * 100 * 20);
        configuration.Excess.Should().BeNull();
        AtOnce(ports[..10]).Should().Equal(Versions());

        List<(string Type, string Name, string Version)> AtOnce(ProxyPort[] ports)
        {
            var fresh = new ResourceCache();
            var atOnce = new TenantConfiguration(endpointBytes: Bytes);
            fresh.Update(
                Node,
                change =>
                {
                    atOnce.SetRoute("many", ports, change);
                    atOnce.SetNodes(nodes, change);
                }
            );
            return VersionsOf(fresh);
        }

        // Clusters hold the endpoints that are names; without those they are as many bytes as here.
        long EndpointBytes(int clusters) =>
            _cache.List(Node, ResourceTypes.ClusterLoadAssignment).Sum(r => (long)r.Body.Value.Length)
            + Math.Max(0, _cache.List(Node, ResourceTypes.Cluster).Sum(r => (long)r.Body.Value.Length) - (clusters * 150L));
    }

    [Fact]
    public void Header_limits_change_every_listener_and_nothing_else()
    {
        Route("a", Port("a", 12000, 30080));
        var before = Versions();

        _cache.Update(Node, change => _configuration.SetLimits(new ProxyHeaderLimits(100, 50, 64), change));
        Changed(before).Should().Equal("a");
        Route("b", Port("b", 12001, 30081));

        foreach (var name in new[] { "a", "b" })
        {
            var manager = Get<Listener>(name).FilterChains[0].Filters[0].TypedConfig.Unpack<HttpConnectionManager>();
            (manager.MaxRequestHeadersKb, manager.CommonHttpProtocolOptions.MaxHeadersCount).Should().Be((100u, 50u));
        }
    }

    [Fact]
    public void Changed_Route_does_not_change_resources_of_other_Routes()
    {
        Nodes("10.0.0.1");
        Route("a", Port("a", 12000, 30080));
        Route("b", Port("b", 12001, 30081));
        var before = Versions();

        Route("b", Port("b", 12002, 30082));

        Changed(before).Should().BeEquivalentTo("b", "b", "nodeport-30081", "nodeport-30082");
    }

    [Fact]
    public void Host_names_use_DNS_clusters_and_addresses_use_EDS()
    {
        Route("r", Port("web", 12000, 30080));
        Nodes("node-1.example.com.", "10.0.0.1");

        var cluster = Get<Cluster>("web");
        cluster.Type.Should().Be(Cluster.Types.DiscoveryType.StrictDns);
        cluster.LoadAssignment.Endpoints.Single().LbEndpoints.Should().HaveCount(2);
        Names(ResourceTypes.ClusterLoadAssignment).Should().BeEmpty();

        Nodes("10.0.0.1");
        Get<Cluster>("web").Type.Should().Be(Cluster.Types.DiscoveryType.Eds);
        Names(ResourceTypes.ClusterLoadAssignment).Should().Equal("nodeport-30080");
    }

    [Fact]
    public void Proxies_without_aggregated_stream_get_static_clusters()
    {
        var configuration = new TenantConfiguration(withoutAggregation: true);
        _cache.Update(
            Node,
            change =>
            {
                configuration.SetNodes(["10.0.0.1"], change);
                configuration.SetRoute("r", [Port("web", 12000, 30080)], change);
            }
        );
        _cache.Update(Node, change => configuration.SetNodes(["10.0.0.1", "10.0.0.2"], change));

        var cluster = Get<Cluster>("web");
        cluster.Type.Should().Be(Cluster.Types.DiscoveryType.Static);
        cluster.EdsClusterConfig.Should().BeNull();
        cluster.LoadAssignment.Endpoints.Single().LbEndpoints.Should().HaveCount(2);
        Names(ResourceTypes.ClusterLoadAssignment).Should().BeEmpty();
    }

    [Fact]
    public void Port_of_two_Services_is_served_for_the_first_by_name()
    {
        Route("b", Port("b", 12000, 30081));
        Route("a", Port("a", 12000, 30080));
        Names(ResourceTypes.Listener).Should().Equal("a");

        Route("a");
        Names(ResourceTypes.Listener).Should().Equal("b");
        Names(ResourceTypes.ClusterLoadAssignment).Should().Equal("nodeport-30081");
    }

    [Fact]
    public void Configuration_does_not_depend_on_the_order_of_changes() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[0, 2])
            .Array[0, 5]
            .Array[1, 30]
            .Sample(steps =>
            {
                var cache = new ResourceCache();
                var configuration = new TenantConfiguration();
                var last = new Dictionary<string, IReadOnlyList<ProxyPort>>();
                for (var i = 0; i < steps.Length; i++)
                {
                    var route = $"r{i % 4}";
                    last[route] =
                    [
                        .. steps[i].Select(s => Port($"{route}-{s.Item1}", 12000 + s.Item2, 30080 + s.Item3)).DistinctBy(p => p.Name),
                    ];
                    string[] nodes = i % 7 == 3 ? ["n.example.com."] : ["10.0.0.1"];
                    cache.Update(
                        Node,
                        change =>
                        {
                            configuration.SetRoute(route, last[route], change);
                            configuration.SetNodes(nodes, change);
                        }
                    );
                }

                var fresh = new ResourceCache();
                var atOnce = new TenantConfiguration();
                fresh.Update(
                    Node,
                    change =>
                    {
                        atOnce.SetNodes((steps.Length - 1) % 7 == 3 ? ["n.example.com."] : ["10.0.0.1"], change);
                        foreach (var (route, ports) in last)
                        {
                            atOnce.SetRoute(route, ports, change);
                        }
                    }
                );
                VersionsOf(cache).Should().Equal(VersionsOf(fresh));
            });

    private static ProxyPort Port(string name, int listenerPort, int nodePort, ProxyProtocol protocol = ProxyProtocol.Http1) =>
        new(name, listenerPort, nodePort, protocol);

    private void Route(string name, params ProxyPort[] ports) =>
        _cache.Update(Node, change => _configuration.SetRoute(name, ports, change));

    private void Nodes(params string[] nodes) => _cache.Update(Node, change => _configuration.SetNodes(nodes, change));

    private T Get<T>(string name)
        where T : Google.Protobuf.IMessage, new() =>
        _cache.Find(Node, ResourceTypes.Prefix + new T().Descriptor.FullName, name)!.Body.Unpack<T>();

    private IEnumerable<string> Names(string typeUrl) => _cache.List(Node, typeUrl).Select(r => r.Name).Order(StringComparer.Ordinal);

    private List<(string Type, string Name, string Version)> Versions() => VersionsOf(_cache);

    // Names of resources with another version, and of removed ones.
    private IEnumerable<string> Changed(List<(string Type, string Name, string Version)> before)
    {
        var now = Versions();
        return now.Except(before).Concat(before.Where(b => !now.Any(n => (n.Type, n.Name) == (b.Type, b.Name)))).Select(c => c.Name);
    }

    private static List<(string Type, string Name, string Version)> VersionsOf(ResourceCache cache) =>
        [
            .. new[] { ResourceTypes.Listener, ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment }
                .SelectMany(type => cache.List(Node, type).Select(r => (type, r.Name, r.Version)))
                .Order(),
        ];
}
