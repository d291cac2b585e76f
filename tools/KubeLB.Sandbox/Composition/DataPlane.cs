using System.Net;
using System.Net.Sockets;
using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>The data path: Gateways, tenant proxies, pods. Node ports belong to their clusters.</summary>
internal sealed class DataPlane : IAsyncDisposable
{
    private const string SimulatedProxies =
        "the proxies of this sandbox are simulated and serve no metrics; start the sandbox with --envoy FILE";

    private readonly HttpServer _httpServer;
    private readonly BackendForwarder _forwarder;
    private readonly ILoggerFactory _logging;

    private DataPlane(
        LoopbackAddresses addresses,
        HttpServer httpServer,
        BackendForwarder forwarder,
        ServiceDirectory directory,
        EchoBackends backends,
        ILoggerFactory logging,
        ProxyProcesses? processes
    )
    {
        Addresses = addresses;
        _httpServer = httpServer;
        _forwarder = forwarder;
        _logging = logging;
        Directory = directory;
        Backends = backends;
        Gateways = new GatewaySockets(httpServer, addresses);
        Proxies = new TenantProxies(addresses, logging);
        Processes = processes;
    }

    /// <summary>Loopback addresses of nodes, pods, proxies and Gateways.</summary>
    public LoopbackAddresses Addresses { get; }

    /// <summary>Echo backends.</summary>
    public EchoBackends Backends { get; }

    /// <summary>Sockets of the Gateways.</summary>
    public GatewaySockets Gateways { get; }

    /// <summary>Real Envoys as the tenant proxies; null with stand-ins.</summary>
    public ProxyProcesses? Processes { get; }

    /// <summary>The stand-ins for the tenant proxies.</summary>
    public TenantProxies Proxies { get; }

    /// <summary>Resolves the backends of the Gateways.</summary>
    public ServiceDirectory Directory { get; }

    /// <summary>Starts the parts that do not depend on a cluster.</summary>
    /// <exception cref="IOException">The Envoy of the options cannot be used.</exception>
    public static async Task<DataPlane> StartAsync(
        SandboxOptions options,
        Action<ILoggingBuilder> logging,
        CancellationToken cancellationToken
    )
    {
        var addresses = new LoopbackAddresses(options.OnlyLocalhost);
        var loggers = LoggerFactory.Create(logging);
        ProxyProcesses? processes = null;
        if (options.Envoy is { } envoy)
        {
            processes = await ProxyProcesses
                .StartAsync(
                    envoy,
                    options.OnlyLoopbackProxies,
                    ClusterSetup.XdsServerName,
                    addresses,
                    loggers.CreateLogger<ProxyProcesses>(),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        var directory = new ServiceDirectory();
        var forwarder = new BackendForwarder();
        var traces = options.Accessed is { } accessed ? new RequestTraces(accessed, TimeProvider.System) : null;
        RequestDelegate serve = new GatewayRequestHandler(directory, forwarder).HandleAsync;
        var httpServer = await HttpServer
            .StartAsync(traces is null ? serve : context => traces.FollowAsync(context, serve))
            .ConfigureAwait(false);
        var backends = await EchoBackends.StartAsync(addresses, traces).ConfigureAwait(false);
        var dataPlane = new DataPlane(addresses, httpServer, forwarder, directory, backends, loggers, processes);
        traces?.ProxyName = proxy => processes is null ? dataPlane.Proxies.NodeOf(proxy) : processes.PodOf(proxy.Address);
        return dataPlane;
    }

    /// <summary>The end point that serves a port of a Gateway's address; null if it is not served.</summary>
    public IPEndPoint? Resolve(IPAddress gateway, int port) => Gateways.Resolve(gateway, port);

    /// <summary>The end point of a pod of the management cluster, for <c>pods/proxy</c>: only those of real Envoys exist.</summary>
    /// <exception cref="PodUnreachableException">The pod is simulated, or its process does not run.</exception>
    public IPEndPoint ResolveProxyPod(PodEndPointRequest request) =>
        Processes is null ? throw new PodUnreachableException(SimulatedProxies)
        : Processes.AddressOf(request.Namespace, request.Pod, request.Uid) is { } address ? new IPEndPoint(address, request.EndPoint.Port)
        : throw new PodUnreachableException($"no process runs for pod {request.Namespace}/{request.Pod}");

    /// <summary>The end point of a pod of a tenant's cluster, for <c>pods/proxy</c>.</summary>
    /// <exception cref="PodUnreachableException">The pod does not listen on the port.</exception>
    public IPEndPoint ResolveEchoPod(string cluster, PodEndPointRequest request) =>
        Backends.Find(cluster, request.Namespace, request.Pod, request.EndPoint.Port)
        ?? throw new PodUnreachableException($"dial tcp {request.EndPoint}: connect: connection refused");

    public async ValueTask DisposeAsync()
    {
        await Gateways.DisposeAsync().ConfigureAwait(false);
        await _httpServer.DisposeAsync().ConfigureAwait(false);
        _forwarder.Dispose();
        await Proxies.DisposeAsync().ConfigureAwait(false);
        if (Processes is not null)
        {
            await Processes.DisposeAsync().ConfigureAwait(false);
        }

        await Backends.DisposeAsync().ConfigureAwait(false);
        Addresses.Dispose();
        _logging.Dispose();
    }
}

/// <summary>Sends requests to the addresses in Gateway statuses, and resolves ports that are remapped.</summary>
internal static class GatewayHandler
{
    /// <summary>Creates a handler without redirects, cookies and connection reuse.</summary>
    public static SocketsHttpHandler Create(Func<IPAddress, int, IPEndPoint?> resolve) =>
        new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var desired = context.DnsEndPoint;
                EndPoint target =
                    IPAddress.TryParse(desired.Host, out var address) && resolve(address, desired.Port) is { } remapped
                        ? remapped
                        : desired;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
}
