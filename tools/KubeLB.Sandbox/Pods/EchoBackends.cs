using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.Pods;

/// <summary>
/// The echo backends of all simulated pods: one server, one socket per pod and port. Knows where a pod's port really is: at the pod's
/// own address and port, or, where that could not be bound, at another port.
/// </summary>
internal sealed class EchoBackends : IAsyncDisposable
{
    private readonly HttpFront _front;
    private readonly LoopbackAddresses _addresses;
    private readonly ConcurrentDictionary<(IPAddress Address, int Port, string Pod), FrontListener> _listeners = new();

    private EchoBackends(HttpFront front, LoopbackAddresses addresses)
    {
        _front = front;
        _addresses = addresses;
    }

    /// <summary>Starts the server.</summary>
    public static async Task<EchoBackends> StartAsync(LoopbackAddresses addresses) =>
        new(await HttpFront.StartAsync(EchoResponder.Configure).ConfigureAwait(false), addresses);

    /// <summary>Opens a port of a pod; nothing happens if it is open.</summary>
    public async Task ListenAsync(EchoPod pod, int port)
    {
        var key = Key(pod, port);
        if (_listeners.ContainsKey(key))
        {
            return;
        }

        var at = ListeningSocket.Choose(new IPEndPoint(pod.Address, port));
        var listener = await _front.ListenAsync(at, new EchoPort(pod, port)).ConfigureAwait(false);
        if (!_listeners.TryAdd(key, listener))
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Where a pod's port really listens; the pod's address and the port itself if no echo backend serves it.</summary>
    public IPEndPoint Resolve(IPAddress podAddress, int port, string pod) =>
        _listeners.TryGetValue((podAddress, port, _addresses.IsShared ? pod : ""), out var listener)
            ? listener.LocalEndPoint
            : new IPEndPoint(podAddress, port);

    /// <summary>Closes all ports of a pod.</summary>
    public async Task StopAsync(EchoPod pod)
    {
        foreach (var (key, listener) in _listeners)
        {
            if (((EchoPort)listener.Owner).Pod == pod && _listeners.TryRemove(key, out _))
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners.Values)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        await _front.DisposeAsync().ConfigureAwait(false);
    }

    // Where all pods share one address, their names tell them apart.
    private (IPAddress Address, int Port, string Pod) Key(EchoPod pod, int port) =>
        (pod.Address, port, _addresses.IsShared ? $"{pod.Namespace}/{pod.Name}" : "");
}
