using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Manager.Proxies;
using KubeLB.Translation.Proxies;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>How a proxy finds out about its nodes: what the manager writes, or an alternative to it.</summary>
/// <param name="Name">Name in the table.</param>
/// <param name="Change">What the alternative changes in a cluster.</param>
/// <param name="TriesAgain">Whether what was not sent is sent to another node.</param>
internal sealed record HealthSettings(string Name, Action<Cluster> Change, bool TriesAgain = true)
{
    public static HealthSettings Chosen { get; } = new("as chosen", _ => { });

    public static IReadOnlyList<HealthSettings> Alternatives { get; } =
    [
        new("TCP checks, 5 s, 3 down, 2 up, no panic (before)", cluster => Check(cluster, 5, 5, 3, 2), TriesAgain: false),
        new("TCP checks, 1 s, 1 down, 1 up", cluster => Check(cluster, 1, 1, 1, 1), TriesAgain: false),
        new("passive, 1 failure", cluster => cluster.OutlierDetection.ConsecutiveLocalOriginFailure = 1),
        new("passive, 5 failures", cluster => cluster.OutlierDetection.ConsecutiveLocalOriginFailure = 5),
        new("passive, connect timeout 1 s", cluster => cluster.ConnectTimeout = Seconds(1)),
    ];

    /// <summary>A port of a proxy with these settings.</summary>
    public (Cluster Cluster, Listener Listener) Port(ProxyPort port, IReadOnlyList<string> nodes)
    {
        var cluster = ClusterResource.Build(port, nodes, EndpointDiscovery.Static);
        Change(cluster);
        var listener = ListenerResource.Build(port, ProxyHeaderLimits.Default);
        if (!TriesAgain)
        {
            var filter = listener.FilterChains[0].Filters[0];
            if (filter.TypedConfig.TryUnpack<TcpProxy>(out var tcp))
            {
                tcp.MaxConnectAttempts = null;
                filter.TypedConfig = Any.Pack(tcp);
            }
            else
            {
                var http = filter.TypedConfig.Unpack<HttpConnectionManager>();
                http.RouteConfig.VirtualHosts[0].Routes[0].Route_.RetryPolicy = null;
                filter.TypedConfig = Any.Pack(http);
            }
        }

        return (cluster, listener);
    }

    private static void Check(Cluster cluster, int interval, int timeout, uint down, uint up)
    {
        cluster.OutlierDetection = null;
        cluster.UpstreamConnectionOptions = null;
        cluster.UpstreamBindConfig = null;
        cluster.ConnectTimeout = Seconds(5);
        cluster.CommonLbConfig.HealthyPanicThreshold = new Percent { Value = 0 };
        cluster.HealthChecks.Add(
            new HealthCheck
            {
                Interval = Seconds(interval),
                Timeout = Seconds(timeout),
                NoTrafficInterval = Seconds(interval),
                UnhealthyThreshold = down,
                HealthyThreshold = up,
                TcpHealthCheck = new HealthCheck.Types.TcpHealthCheck(),
            }
        );
    }

    private static Duration Seconds(int seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
}
