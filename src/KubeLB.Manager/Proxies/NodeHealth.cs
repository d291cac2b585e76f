using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// How proxies detect failed nodes and node ports: by the connections for requests, without active health checks. After a failed connection
/// another node is tried, and the failed one is ejected for some seconds. docs/decisions/0021-find-failed-nodes-by-connections.md
/// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
/// </summary>
internal static class NodeHealth
{
    /// <summary>
    /// Connection attempts for one request or TCP connection. Many are needed: when a connection fails, Envoy fails all requests that wait
    /// for a connection to the same node, and retries them before the node is ejected.
    /// </summary>
    public const uint Attempts = 10;

    /// <summary>
    /// Maximum size of a request body that is buffered until a connection is established. Envoy does not retry a request with a larger
    /// body.
    /// </summary>
    public const uint BufferedBytes = 4 << 20;

    /// <summary>
    /// Maximum number of requests lost with one HTTP/2 connection to a node that disappears: the next request needs another connection,
    /// which fails, and the node is ejected. PING frames are not used, since gRPC servers close connections with frequent ones.
    /// </summary>
    public const uint StreamsPerConnection = 32;

    private const long Tcp = 6;
    private const long TcpUserTimeout = 18;

    /// <summary>
    /// More than the round trip to a distant node, and less than the second after which the kernel retransmits a lost SYN.
    /// </summary>
    public static Duration ConnectTimeout => Milliseconds(500);

    /// <summary>
    /// If all nodes are ejected, all are used, so that a port that becomes ready gets the next request. Envoy rounds the value; 0 disables
    /// it.
    /// </summary>
    public static Percent PanicThreshold() => new() { Value = 1 };

    /// <summary>
    /// Ejects nodes for connection failures only. Responses of the application are ignored, since every node forwards to the same pods. Two
    /// consecutive failures are needed, since Envoy also counts connections that an application resets. Without jitter, nodes that failed
    /// together are tried again together, which affects few requests.
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

    /// <summary>Closes an idle connection within 11 s after its node disappeared.</summary>
    public static TcpKeepalive Keepalive() =>
        new()
        {
            KeepaliveTime = 5,
            KeepaliveInterval = 3,
            KeepaliveProbes = 3,
        };

    /// <summary>Closes a connection with unacknowledged data after 10 s; by default the kernel retransmits for 15 minutes.</summary>
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

    /// <summary>Retries only requests that were not sent to any node.</summary>
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
