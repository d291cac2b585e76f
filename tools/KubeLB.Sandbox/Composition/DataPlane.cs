using System.Net;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>The parts that traffic passes: Gateways, the tenants' proxies, pods. Node ports belong to their clusters.</summary>
internal sealed class DataPlane : IAsyncDisposable
{
    private readonly HttpFront _front;
    private readonly BackendForwarder _forwarder;
    private readonly ILoggerFactory _logging;

    private DataPlane(
        LoopbackAddresses addresses,
        HttpFront front,
        BackendForwarder forwarder,
        ServiceDirectory directory,
        EchoBackends backends,
        ILoggerFactory logging,
        ProxyProcesses? processes
    )
    {
        Addresses = addresses;
        _front = front;
        _forwarder = forwarder;
        _logging = logging;
        Directory = directory;
        Backends = backends;
        Gateways = new GatewayFronts(front, addresses);
        Proxies = new TenantProxies(addresses, logging);
        Processes = processes;
    }

    /// <summary>Addresses of nodes, pods, proxies and Gateways.</summary>
    public LoopbackAddresses Addresses { get; }

    /// <summary>Echo backends.</summary>
    public EchoBackends Backends { get; }

    /// <summary>Sockets of the Gateways.</summary>
    public GatewayFronts Gateways { get; }

    /// <summary>Real Envoys as the tenants' proxies; null where the stand-ins take their place.</summary>
    public ProxyProcesses? Processes { get; }

    /// <summary>The stand-ins for the tenants' proxies.</summary>
    public TenantProxies Proxies { get; }

    /// <summary>Finds the backends of the Gateways.</summary>
    public ServiceDirectory Directory { get; }

    /// <summary>Starts everything that does not depend on a cluster.</summary>
    /// <exception cref="IOException">The options name an Envoy that cannot be used.</exception>
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
        var front = await HttpFront.StartAsync(new GatewayRequestHandler(directory, forwarder).HandleAsync).ConfigureAwait(false);
        var backends = await EchoBackends.StartAsync(addresses).ConfigureAwait(false);
        return new DataPlane(addresses, front, forwarder, directory, backends, loggers, processes);
    }

    /// <summary>Where a port of a Gateway's address really is; null if it is not served.</summary>
    public IPEndPoint? Resolve(IPAddress gateway, int port) => Gateways.Resolve(gateway, port);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Gateways.DisposeAsync().ConfigureAwait(false);
        await _front.DisposeAsync().ConfigureAwait(false);
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
