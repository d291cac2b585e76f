using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Builds Envoy's cluster for one port of a tenant's proxies: the tenant's nodes, without active health checks (<see cref="NodeHealth"/>).
/// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto
/// </summary>
internal static class ClusterResource
{
    private const string HttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Effectively unlimited: Envoy's default of 1,024 suits one service, not a tenant.</summary>
    private const uint Unlimited = 1_000_000;

    /// <summary>Builds the cluster.</summary>
    /// <param name="port">The port of the proxy.</param>
    /// <param name="nodes">Addresses of the tenant's nodes.</param>
    /// <param name="discovery">How Envoy discovers the endpoints.</param>
    public static Cluster Build(ProxyPort port, IReadOnlyList<string> nodes, EndpointDiscovery discovery)
    {
        var cluster = new Cluster
        {
            Name = port.Name,
            ConnectTimeout = NodeHealth.ConnectTimeout,

            // A removed node gets no more traffic, even if it responds: the address may belong to another machine.
            IgnoreHealthOnHostRemoval = true,
            LbPolicy = Cluster.Types.LbPolicy.RoundRobin,
            CommonLbConfig = new Cluster.Types.CommonLbConfig { HealthyPanicThreshold = NodeHealth.PanicThreshold() },
            OutlierDetection = NodeHealth.Ejection(),
            UpstreamConnectionOptions = new UpstreamConnectionOptions { TcpKeepalive = NodeHealth.Keepalive() },
            UpstreamBindConfig = NodeHealth.SocketOptions(),
            CircuitBreakers = new CircuitBreakers
            {
                Thresholds =
                {
                    new CircuitBreakers.Types.Thresholds
                    {
                        MaxConnections = Unlimited,
                        MaxPendingRequests = Unlimited,
                        MaxRequests = Unlimited,
                        MaxRetries = Unlimited,
                    },
                },
            },
        };
        if (discovery == EndpointDiscovery.Eds)
        {
            cluster.Type = Cluster.Types.DiscoveryType.Eds;
            cluster.EdsClusterConfig = new Cluster.Types.EdsClusterConfig
            {
                ServiceName = EndpointsResource.NameFor(port.NodePort),
                EdsConfig = new ConfigSource { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3 },
            };
        }
        else
        {
            cluster.Type = discovery == EndpointDiscovery.Dns ? Cluster.Types.DiscoveryType.StrictDns : Cluster.Types.DiscoveryType.Static;
            if (discovery == EndpointDiscovery.Dns)
            {
                // The proxies use IPv4.
                cluster.DnsLookupFamily = Cluster.Types.DnsLookupFamily.V4Preferred;
                cluster.DnsRefreshRate = Seconds(30);
            }

            cluster.LoadAssignment = EndpointsResource.Build(port.Name, nodes, port.NodePort);
        }

        if (port.Protocol == ProxyProtocol.Http2)
        {
            cluster.TypedExtensionProtocolOptions[HttpOptions] = Any.Pack(
                new HttpProtocolOptions
                {
                    ExplicitHttpConfig = new HttpProtocolOptions.Types.ExplicitHttpConfig
                    {
                        Http2ProtocolOptions = new Http2ProtocolOptions { MaxConcurrentStreams = NodeHealth.StreamsPerConnection },
                    },
                }
            );
        }

        return cluster;
    }

    private static Duration Seconds(int seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
}

/// <summary>
/// Builds Envoy's endpoints for one node port: the tenant's nodes. All clusters of a node port share them, so that a change of the nodes
/// updates one small resource per node port. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/endpoint/v3/endpoint.proto
/// </summary>
internal static class EndpointsResource
{
    /// <summary>Name of the resource for a node port.</summary>
    public static string NameFor(int nodePort) => $"nodeport-{nodePort}";

    /// <summary>Builds the endpoints.</summary>
    /// <param name="name">Name of the resource.</param>
    /// <param name="nodes">Addresses of the tenant's nodes: IP addresses, or absolute host names.</param>
    /// <param name="nodePort">The port of each node, 1-65535.</param>
    public static ClusterLoadAssignment Build(string name, IEnumerable<string> nodes, int nodePort)
    {
        var endpoints = new LocalityLbEndpoints();
        endpoints.LbEndpoints.AddRange(
            nodes.Select(node => new LbEndpoint
            {
                Endpoint = new Endpoint
                {
                    Address = new Address
                    {
                        SocketAddress = new SocketAddress { Address = node, PortValue = (uint)nodePort },
                    },
                },
            })
        );
        return new ClusterLoadAssignment { ClusterName = name, Endpoints = { endpoints } };
    }

    /// <summary>Whether an address is a host name, which EDS does not support.</summary>
    public static bool IsHostname(string node) => !System.Net.IPAddress.TryParse(node, out _);
}

/// <summary>How proxies discover the endpoints of their clusters.</summary>
internal enum EndpointDiscovery
{
    /// <summary>EDS on the aggregated stream: a change of the nodes updates one small resource per node port.</summary>
    Eds,

    /// <summary>The endpoints are part of each cluster, and some are host names. Envoy resolves them; EDS does not support them.</summary>
    Dns,

    /// <summary>
    /// The endpoints are IP addresses in each cluster, for proxies without an aggregated stream, which reject clusters that refer to it.
    /// </summary>
    Static,
}
