using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// The tenant's nodes behind one port of its proxy, as Envoy's cluster, without health checks of its own: <see cref="NodeHealth"/>.
/// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto
/// </summary>
internal static class ClusterResource
{
    private const string HttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Envoy's own limit of 1,024 is for one service; who waits here and for how long is the tenant's affair.</summary>
    private const uint Many = 1_000_000;

    /// <summary>The cluster.</summary>
    /// <param name="port">The port of the proxy.</param>
    /// <param name="nodes">Addresses of the tenant's nodes.</param>
    /// <param name="discovery">How Envoy comes to the endpoints.</param>
    public static Cluster Build(ProxyPort port, IReadOnlyList<string> nodes, EndpointDiscovery discovery)
    {
        var cluster = new Cluster
        {
            Name = port.Name,
            ConnectTimeout = NodeHealth.ConnectTimeout,

            // A node that is taken out gets nothing more, also if something answers there: the address may be another machine's by now.
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
                        MaxConnections = Many,
                        MaxPendingRequests = Many,
                        MaxRequests = Many,
                        MaxRetries = Many,
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
                // Each cluster asks by itself, and the proxies listen and send by IPv4.
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
