using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Tests.Wire;

/// <summary>Small resources that refer to each other.</summary>
public static class Samples
{
    public static ConfigSource Ads => new() { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3 };

    public static Cluster Cluster(string name, double timeout = 5, string endpoints = "") =>
        new()
        {
            Name = name,
            Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds,
            ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(timeout)),
            EdsClusterConfig = new Cluster.Types.EdsClusterConfig { EdsConfig = Ads, ServiceName = endpoints },
        };

    public static ClusterLoadAssignment Endpoints(string cluster, params int[] ports)
    {
        var group = new LocalityLbEndpoints
        {
            Locality = new Locality { Region = "r" },
            LoadBalancingWeight = 1,
        };
        group.LbEndpoints.AddRange(
            ports.Select(port => new LbEndpoint
            {
                Endpoint = new Endpoint
                {
                    Address = new Address
                    {
                        SocketAddress = new SocketAddress { Address = "127.0.0.1", PortValue = (uint)port },
                    },
                },
            })
        );
        return new ClusterLoadAssignment { ClusterName = cluster, Endpoints = { group } };
    }

    public static RouteConfiguration Routes(string name, string cluster) =>
        new()
        {
            Name = name,
            VirtualHosts =
            {
                new VirtualHost
                {
                    Name = "all",
                    Domains = { "*" },
                    Routes =
                    {
                        new Route
                        {
                            Match = new RouteMatch { Prefix = "" },
                            Route_ = new RouteAction { Cluster = cluster },
                        },
                    },
                },
            },
        };

    public static Listener Listener(string name, string routes) =>
        new()
        {
            Name = name,
            ApiListener = new ApiListener
            {
                ApiListener_ = Any.Pack(
                    new HttpConnectionManager
                    {
                        StatPrefix = name,
                        Rds = new Rds { ConfigSource = Ads, RouteConfigName = routes },
                        HttpFilters =
                        {
                            new HttpFilter { Name = "router", TypedConfig = Any.Pack(new Router()) },
                        },
                    }
                ),
            },
        };

    /// <summary>A cluster and its endpoints.</summary>
    public static ResourceTransaction AddCluster(
        this ResourceTransaction transaction,
        string name,
        double timeout = 5,
        params int[] ports
    ) => transaction.Set(name, Cluster(name, timeout)).Set(name, Endpoints(name, ports.Length == 0 ? [80] : ports));

    public static ResourceTransaction RemoveCluster(this ResourceTransaction transaction, string name) =>
        transaction.Remove(ResourceTypes.Cluster, name).Remove(ResourceTypes.ClusterLoadAssignment, name);
}
