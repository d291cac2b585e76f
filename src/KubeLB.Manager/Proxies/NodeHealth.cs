using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// How a proxy finds out that a node or its port does not answer: by the connections that requests need anyway. One that is not made is made
/// to another node, and the node gets none for some seconds. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
/// </summary>
internal static class NodeHealth
{
    /// <summary>Attempts to connect for one request or TCP connection, each to another node where there is one.</summary>
    public const uint Attempts = 10;

    /// <summary>
    /// Of a request's body that much is kept until its connection is made; the rest waits at the client's end. A request with a larger one
    /// that has arrived by then fails if the connection does.
    /// </summary>
    public const uint BufferedBytes = 4 << 20;

    /// <summary>
    /// As many requests are lost at most with an HTTP/2 connection to a node that vanishes: the next one needs another connection, which
    /// shows that the node is away.
    /// </summary>
    public const uint StreamsPerConnection = 32;

    private const long Tcp = 6;
    private const long TcpUserTimeout = 18;

    /// <summary>Above the round trip to a distant node, below what a client notices; a lost SYN would be sent again after a second.</summary>
    public static Duration ConnectTimeout => Milliseconds(500);

    /// <summary>Only if no node is left are all tried: a port that has just become ready answers its first request. It is an integer, 0 for off.</summary>
    public static Percent PanicThreshold() => new() { Value = 1 };

    /// <summary>
    /// Only connections that fail count. Statuses of the application do not: every node leads to the same pods.
    /// </summary>
    public static OutlierDetection Ejection() => new()
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

    /// <summary>Of a connection that is silent, the kernel finds out within eleven seconds that the node is away.</summary>
    public static TcpKeepalive Keepalive() => new() { KeepaliveTime = 5, KeepaliveInterval = 3, KeepaliveProbes = 3 };

    /// <summary>And of one on which something was sent, within ten: without this it sends again for a quarter of an hour.</summary>
    public static BindConfig SocketOptions() => new()
    {
        SocketOptions = { new SocketOption { Description = "TCP_USER_TIMEOUT", Level = Tcp, Name = TcpUserTimeout, IntValue = 10_000, State = SocketOption.Types.SocketState.StatePrebind } },
    };

    /// <summary>Only what was not sent to any node is sent again.</summary>
    public static RetryPolicy Retries() => new()
    {
        RetryOn = "connect-failure,reset-before-request",
        NumRetries = Attempts - 1,
        RetryHostPredicate =
        {
            new RetryPolicy.Types.RetryHostPredicate { Name = "envoy.retry_host_predicates.previous_hosts", TypedConfig = Any.Pack(new PreviousHostsPredicate()) },
        },
        HostSelectionRetryMaxAttempts = 20,
        RetryBackOff = new RetryPolicy.Types.RetryBackOff { BaseInterval = Milliseconds(25), MaxInterval = Milliseconds(100) },
    };

    private static Duration Milliseconds(int milliseconds) => Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds));
}
