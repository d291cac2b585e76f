using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Builds Envoy's listener for one port of a tenant's proxies. It has no timeouts and filters of its own, since Envoy Gateway in front of
/// it applies them. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto
/// </summary>
internal static class ListenerResource
{
    private const string AnyAddress = "0.0.0.0";

    private static readonly Duration NoLimit = new();

    /// <summary>Builds the listener, which forwards to the cluster of the same name.</summary>
    public static Listener Build(ProxyPort port, ProxyHeaderLimits limits) =>
        new()
        {
            Name = port.Name,
            Address = new Address
            {
                SocketAddress = new SocketAddress { Address = AnyAddress, PortValue = (uint)port.ListenerPort },
            },
            TrafficDirection = TrafficDirection.Inbound,
            PerConnectionBufferLimitBytes = NodeHealth.BufferedBytes,
            FilterChains = { new FilterChain { Filters = { port.Protocol == ProxyProtocol.Tcp ? Tcp(port) : Http(port, limits) } } },
        };

    private static Filter Tcp(ProxyPort port) =>
        new()
        {
            Name = "envoy.filters.network.tcp_proxy",
            TypedConfig = Any.Pack(
                new TcpProxy
                {
                    StatPrefix = port.Name,
                    Cluster = port.Name,
                    IdleTimeout = NoLimit,
                    MaxConnectAttempts = NodeHealth.Attempts,
                    AccessLog = { AccessLog() },
                }
            ),
        };

    private static Filter Http(ProxyPort port, ProxyHeaderLimits limits) =>
        new()
        {
            Name = "envoy.filters.network.http_connection_manager",
            TypedConfig = Any.Pack(
                new HttpConnectionManager
                {
                    StatPrefix = port.Name,
                    CodecType = HttpConnectionManager.Types.CodecType.Auto,
                    RouteConfig = Routes(port),

                    // Omits response headers about the upstream time and retries.
                    HttpFilters =
                    {
                        new HttpFilter
                        {
                            Name = "envoy.filters.http.router",
                            TypedConfig = Any.Pack(new Router { SuppressEnvoyHeaders = true }),
                        },
                    },
                    AccessLog = { AccessLog() },

                    // Envoy Gateway, one hop in front, sets the client's address.
                    UseRemoteAddress = true,
                    XffNumTrustedHops = 1,
                    PreserveExternalRequestId = true,
                    ServerHeaderTransformation = HttpConnectionManager.Types.ServerHeaderTransformation.PassThrough,

                    // Streams may be idle for hours.
                    StreamIdleTimeout = NoLimit,
                    RequestTimeout = NoLimit,
                    MaxRequestHeadersKb = (uint)limits.RequestKilobytes,
                    CommonHttpProtocolOptions = new HttpProtocolOptions
                    {
                        MaxHeadersCount = (uint)limits.RequestCount,
                        HeadersWithUnderscoresAction = HttpProtocolOptions.Types.HeadersWithUnderscoresAction.Allow,
                    },

                    // With HTTP/2, Envoy Gateway forwards a websocket as an extended CONNECT. https://www.rfc-editor.org/rfc/rfc8441
                    Http2ProtocolOptions = new Http2ProtocolOptions { AllowConnect = true },
                    UpgradeConfigs = { new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" } },
                }
            ),
        };

    private static RouteConfiguration Routes(ProxyPort port) =>
        new()
        {
            Name = port.Name,

            // A listener must not be rejected with its cluster, since Envoy would not add it after it accepts the cluster.
            ValidateClusters = false,
            VirtualHosts =
            {
                new VirtualHost
                {
                    Name = port.Name,
                    Domains = { "*" },
                    Routes =
                    {
                        new Route
                        {
                            Match = new RouteMatch { Prefix = "/" },
                            Route_ = new RouteAction
                            {
                                Cluster = port.Name,
                                Timeout = NoLimit,
                                RetryPolicy = NodeHealth.Retries(),
                            },
                        },
                    },
                },
            },
        };

    private static AccessLog AccessLog() => new() { Name = "envoy.access_loggers.stdout", TypedConfig = Any.Pack(new StdoutAccessLog()) };
}
