using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Sandbox.Proxies;

namespace KubeLB.Sandbox.Tests.Proxies;

/// <summary>The stand-in warms clusters like Envoy, so that it waits for endpoints in the same cases.</summary>
public sealed class ProxyStateTests
{
    private readonly ProxyState _state = new();

    [Fact]
    public void Cluster_serves_when_its_endpoints_follow()
    {
        Take(XdsSource.Clusters, Eds("a", "shared"));
        Serving().Should().BeEmpty();
        Take(XdsSource.Endpoints, Endpoints("shared"));
        Serving().Should().Equal("a");
    }

    [Fact]
    public void New_cluster_ignores_earlier_endpoints()
    {
        Take(XdsSource.Clusters, Eds("a", "shared"));
        Take(XdsSource.Endpoints, Endpoints("shared"));
        Take(XdsSource.Clusters, Eds("b", "shared"));
        Serving().Should().Equal("a");
        _state.ReferencedEndpoints.Should().Equal("shared");
        Take(XdsSource.Endpoints, Endpoints("shared"));
        Serving().Should().Equal("a", "b");
    }

    [Fact]
    public void Changed_cluster_keeps_serving_until_its_endpoints_follow()
    {
        Take(XdsSource.Clusters, Eds("a", "old"));
        Take(XdsSource.Endpoints, Endpoints("old"));
        Take(XdsSource.Clusters, Eds("a", "new"));
        Serving().Should().Equal("a");
        _state.ReferencedEndpoints.Should().BeEquivalentTo("old", "new");
        Take(XdsSource.Endpoints, Endpoints("new"));
        Serving().Should().Equal("a");
        _state.ReferencedEndpoints.Should().Equal("new");
    }

    [Fact]
    public void Reverted_cluster_serves_immediately()
    {
        Take(XdsSource.Clusters, Eds("a", "old"));
        Take(XdsSource.Endpoints, Endpoints("old"));
        Take(XdsSource.Clusters, Eds("a", "new"));
        Take(XdsSource.Clusters, Eds("a", "old"));
        _state.ReferencedEndpoints.Should().Equal("old");
        Serving().Should().Equal("a");
    }

    [Fact]
    public void Warming_clusters_use_known_endpoints_after_a_reconnect()
    {
        Take(XdsSource.Clusters, Eds("a", "shared"));
        Take(XdsSource.Endpoints, Endpoints("shared"));
        Take(XdsSource.Clusters, Eds("b", "shared"), Eds("c", "unknown"));
        _state.Reconnect();
        Serving().Should().Equal("a", "b");
    }

    private static (string, IMessage) Eds(string name, string endpoints) =>
        (
            name,
            new Cluster
            {
                Name = name,
                Type = Cluster.Types.DiscoveryType.Eds,
                EdsClusterConfig = new Cluster.Types.EdsClusterConfig
                {
                    ServiceName = endpoints,
                    EdsConfig = new ConfigSource { Ads = new AggregatedConfigSource() },
                },
            }
        );

    private static (string, IMessage) Endpoints(string name) => (name, new ClusterLoadAssignment { ClusterName = name });

    private IEnumerable<string> Serving() => _state.Describe().Clusters.Keys;

    private void Take(string typeUrl, params (string Name, IMessage Message)[] resources)
    {
        var response = new DeltaDiscoveryResponse { TypeUrl = typeUrl };
        response.Resources.AddRange(
            resources.Select(r => new Resource
            {
                Name = r.Name,
                Version = "1",
                Resource_ = Any.Pack(r.Message),
            })
        );
        _state.Take(response);
    }
}
