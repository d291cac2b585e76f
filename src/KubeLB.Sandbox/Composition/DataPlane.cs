using System.Net;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>The parts that traffic passes: Gateways, the tenants' proxies, pods. Node ports belong to their clusters.</summary>
internal sealed class DataPlane : IAsyncDisposable
{
    private readonly HttpFront _front;
    private readonly BackendForwarder _forwarder;
    private readonly ILoggerFactory _logging;

    private DataPlane(
        LoopbackAddresses addresses, HttpFront front, BackendForwarder forwarder, ServiceDirectory directory, EchoBackends backends, ILoggerFactory logging)
    {
        Addresses = addresses;
        _front = front;
        _forwarder = forwarder;
        _logging = logging;
        Directory = directory;
        Backends = backends;
        Gateways = new GatewayFronts(front, addresses);
        Proxies = new TenantProxies(addresses, logging);
    }

    /// <summary>Addresses of nodes, pods, proxies and Gateways.</summary>
    public LoopbackAddresses Addresses { get; }

    /// <summary>Echo backends.</summary>
    public EchoBackends Backends { get; }

    /// <summary>Sockets of the Gateways.</summary>
    public GatewayFronts Gateways { get; }

    /// <summary>The tenants' proxies.</summary>
    public TenantProxies Proxies { get; }

    /// <summary>Finds the backends of the Gateways.</summary>
    public ServiceDirectory Directory { get; }

    /// <summary>Starts everything that does not depend on a cluster.</summary>
    public static async Task<DataPlane> StartAsync(Action<ILoggingBuilder> logging)
    {
        var directory = new ServiceDirectory();
        var forwarder = new BackendForwarder();
        var front = await HttpFront.StartAsync(new GatewayRequestHandler(directory, forwarder).HandleAsync).ConfigureAwait(false);
        var addresses = new LoopbackAddresses();
        var backends = await EchoBackends.StartAsync(addresses).ConfigureAwait(false);
        return new DataPlane(addresses, front, forwarder, directory, backends, LoggerFactory.Create(logging));
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
        await Backends.DisposeAsync().ConfigureAwait(false);
        Addresses.Dispose();
        _logging.Dispose();
    }
}
