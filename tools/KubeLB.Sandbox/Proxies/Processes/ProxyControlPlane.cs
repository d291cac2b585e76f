using System.Net;
using k8s.Models;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// The manager's Service <c>envoycp</c>, as the proxies reach it: one address for all managers there have been. Where proxies cannot listen
/// on all interfaces, a relay stands before it, which changes where they listen.
/// </summary>
internal sealed class ProxyControlPlane : IAsyncDisposable
{
    private const int Port = 8001;

    private readonly TcpForwarder _service;
    private AdsRelay? _relay;
    private IPEndPoint? _manager;

    private ProxyControlPlane(IPAddress address) =>
        _service = TcpForwarder.Start(
            ListeningSocket.Choose(new IPEndPoint(address, Port)),
            () => Volatile.Read(ref _manager) is { } manager ? [manager] : []
        );

    /// <summary>Where the proxies connect to.</summary>
    public IPEndPoint Address => _relay?.Address ?? _service.LocalEndPoint;

    /// <summary>Starts the Service.</summary>
    /// <param name="addresses">Gives its address.</param>
    /// <param name="serverName">What the manager's certificate calls it.</param>
    /// <param name="withRelay">Whether proxies listen at one address each.</param>
    public static async Task<ProxyControlPlane> StartAsync(LoopbackAddresses addresses, string serverName, bool withRelay)
    {
        var plane = new ProxyControlPlane(addresses.Take());
        if (withRelay)
        {
            plane._relay = await AdsRelay.StartAsync(addresses.Take(), plane._service.LocalEndPoint, serverName).ConfigureAwait(false);
        }

        return plane;
    }

    /// <summary>Where the manager serves from now on; null while it does not.</summary>
    public void Follow(IPEndPoint? manager) => Volatile.Write(ref _manager, manager);

    /// <summary>A pod's certificate, for a relay.</summary>
    public void Mount(IPAddress? pod, V1Secret secret)
    {
        if (pod is not null)
        {
            _relay?.Mount(pod, secret);
        }
    }

    /// <summary>A pod is gone.</summary>
    public void Forget(IPAddress pod) => _relay?.Forget(pod);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_relay is not null)
        {
            await _relay.DisposeAsync().ConfigureAwait(false);
        }

        await _service.DisposeAsync().ConfigureAwait(false);
    }
}
