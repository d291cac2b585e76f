using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// How a proxy detects that a node or its port fails: by the connections that requests need, without health checks. A connection that is
/// not made is made to another node, and the node is ejected for some seconds. docs/decisions/0021-find-failed-nodes-by-connections.md
/// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
/// </summary>
internal static class NodeHealth
{
    /// <summary>
    /// Connections that are tried for one request or TCP connection. Many end early: where one fails, Envoy fails all requests that wait
    /// for a connection to the same node, and they come back before the node is ejected.
    /// </summary>
    public const uint Attempts = 10;

    /// <summary>
    /// Of a request's body that much is kept until its connection is made. Envoy does not retry a request of which more has arrived by
    /// then.
    /// </summary>
    public const uint BufferedBytes = 4 << 20;

    /// <summary>
    /// An HTTP/2 connection to a node that vanishes loses as many requests at most: the next one needs another connection, which fails, and
    /// the node is ejected. PING frames would cut connections to gRPC servers that reject frequent ones.
    /// </summary>
    public const uint StreamsPerConnection = 32;

    private const long Tcp = 6;
    private const long TcpUserTimeout = 18;

    /// <summary>More than the round trip to a distant node, and less than the second after which the kernel repeats a lost SYN.</summary>
    public static Duration ConnectTimeout => Milliseconds(500);

    /// <summary>
    /// If all nodes are ejected, all are tried: a port that becomes ready answers the next request. Envoy rounds it; 0 would be off.
    /// </summary>
    public static Percent PanicThreshold() => new() { Value = 1 };

    /// <summary>
    /// Only connections count. Statuses of the application do not: every node leads to the same pods. Two failures, since Envoy counts a
    /// connection that an application resets, too; one success between them restarts the count. All nodes that failed together return
    /// together: without jitter, the requests that find them still failing are few.
    /// </summary>
    public static OutlierDetection Ejection() =>
        new()
        {
            SplitExternalLocalOriginErrors = true,
            ConsecutiveLocalOriginFailure = 2,
            EnforcingConsecutiveLocalOriginFailure = 100,
            EnforcingLocalOriginSuccessRate = 0,
            EnforcingSuccessRate = 0,
            EnforcingConsecutive5Xx = 0,
            EnforcingConsecutiveGatewayFailure = 0,
            Interval = Milliseconds(500),
            BaseEjectionTime = Milliseconds(5000),
            MaxEjectionTime = Milliseconds(8000),
            MaxEjectionTimeJitter = Milliseconds(0),
            MaxEjectionPercent = 100,
        };

    /// <summary>A silent connection to a node that vanished ends after 11 s.</summary>
    public static TcpKeepalive Keepalive() =>
        new()
        {
            KeepaliveTime = 5,
            KeepaliveInterval = 3,
            KeepaliveProbes = 3,
        };

    /// <summary>
    /// A connection on which something was sent ends after 10 s: without this option the kernel sends again for a quarter of an hour.
    /// </summary>
    public static BindConfig SocketOptions() =>
        new()
        {
            SocketOptions =
            {
                new SocketOption
                {
                    Description = "TCP_USER_TIMEOUT",
                    Level = Tcp,
                    Name = TcpUserTimeout,
                    IntValue = 10_000,
                    State = SocketOption.Types.SocketState.StatePrebind,
                },
            },
        };

    /// <summary>Only what was not sent to any node is retried.</summary>
    public static RetryPolicy Retries() =>
        new()
        {
            RetryOn = "connect-failure,reset-before-request",
            NumRetries = Attempts - 1,
            RetryHostPredicate =
            {
                new RetryPolicy.Types.RetryHostPredicate
                {
                    Name = "envoy.retry_host_predicates.previous_hosts",
                    TypedConfig = Any.Pack(new PreviousHostsPredicate()),
                },
            },
            HostSelectionRetryMaxAttempts = 20,
            RetryBackOff = new RetryPolicy.Types.RetryBackOff { BaseInterval = Milliseconds(25), MaxInterval = Milliseconds(100) },
        };

    private static Duration Milliseconds(int milliseconds) => Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds));
}
