using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Sandbox.Proxies;

namespace KubeLB.Sandbox.Tests.Proxies;

/// <summary>The stand-in warms clusters as Envoy does, so that what would leave a real proxy waiting leaves it waiting, too.</summary>
public sealed class ProxyStateTests
{
    private readonly ProxyState _state = new();

    [Fact]
    public void A_cluster_serves_when_its_endpoints_come_after_it()
    {
        Take(XdsSource.Clusters, Eds("a", "shared"));
        Serving().Should().BeEmpty();
        Take(XdsSource.Endpoints, Endpoints("shared"));
        Serving().Should().Equal("a");
    }

    [Fact]
    public void A_new_cluster_does_not_serve_with_endpoints_that_came_before_it()
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
    public void A_changed_cluster_serves_as_it_was_until_its_endpoints_come_again()
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
    public void A_cluster_that_changes_back_waits_for_nothing()
    {
        Take(XdsSource.Clusters, Eds("a", "old"));
        Take(XdsSource.Endpoints, Endpoints("old"));
        Take(XdsSource.Clusters, Eds("a", "new"));
        Take(XdsSource.Clusters, Eds("a", "old"));
        _state.ReferencedEndpoints.Should().Equal("old");
        Serving().Should().Equal("a");
    }

    [Fact]
    public void After_another_connection_clusters_take_the_endpoints_that_are_known()
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
