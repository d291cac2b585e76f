using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.Networking;
using Microsoft.AspNetCore.Builder;

namespace KubeLB.Sandbox.Pods;

/// <summary>
/// The echo backends of all simulated pods: one server, one socket per pod and port. A port is served at the pod's address, or remapped to
/// another port if it cannot be bound.
/// </summary>
internal sealed class EchoBackends : IAsyncDisposable
{
    private readonly HttpServer _httpServer;
    private readonly LoopbackAddresses _addresses;
    private readonly ConcurrentDictionary<(IPAddress Address, int Port, string Pod), HttpServerListener> _listeners = new();

    private EchoBackends(HttpServer httpServer, LoopbackAddresses addresses)
    {
        _httpServer = httpServer;
        _addresses = addresses;
    }

    /// <summary>The connections through node ports.</summary>
    public ForwardedConnections NodePorts { get; } = new();

    /// <summary>Starts the server.</summary>
    /// <param name="addresses">Allocates the addresses of pods.</param>
    /// <param name="traces">Follows requests; null for none.</param>
    public static async Task<EchoBackends> StartAsync(LoopbackAddresses addresses, RequestTraces? traces = null)
    {
        EchoBackends? backends = null;
        var server = await HttpServer
            .StartAsync(app =>
            {
                app.Use(
                    (context, next) =>
                    {
                        traces?.Reached(context, (EchoPort)context.Features.Get<HttpServerListener>()!.Owner, backends!.NodePorts);
                        return next(context);
                    }
                );
                EchoResponder.Configure(app);
            })
            .ConfigureAwait(false);
        return backends = new EchoBackends(server, addresses);
    }

    /// <summary>Opens a port of a pod, unless it is open.</summary>
    public async Task ListenAsync(EchoPod pod, int port)
    {
        var key = Key(pod, port);
        if (_listeners.ContainsKey(key))
        {
            return;
        }

        var at = ListeningSocket.Choose(new IPEndPoint(pod.Address, port));
        var listener = await _httpServer.ListenAsync(at, new EchoPort(pod, port)).ConfigureAwait(false);
        if (!_listeners.TryAdd(key, listener))
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The end point that serves a pod's port; the pod's address and port if no echo backend serves it.</summary>
    public IPEndPoint Resolve(IPAddress podAddress, int port, string pod) =>
        _listeners.TryGetValue((podAddress, port, _addresses.IsShared ? pod : ""), out var listener)
            ? listener.LocalEndPoint
            : new IPEndPoint(podAddress, port);

    /// <summary>The end point that serves a port of a named pod; null if there is none.</summary>
    public IPEndPoint? Find(string cluster, string @namespace, string name, int port) =>
        _listeners
            .Values.FirstOrDefault(listener =>
                listener.Owner is EchoPort served
                && served.Port == port
                && (served.Pod.Cluster, served.Pod.Namespace, served.Pod.Name) == (cluster, @namespace, name)
            )
            ?.LocalEndPoint;

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

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners.Values)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        await _httpServer.DisposeAsync().ConfigureAwait(false);
    }

    // If all pods share one address, the key includes the name.
    private (IPAddress Address, int Port, string Pod) Key(EchoPod pod, int port) =>
        (pod.Address, port, _addresses.IsShared ? $"{pod.Namespace}/{pod.Name}" : "");
}

/// <summary>The pod of an echo backend.</summary>
/// <param name="Cluster">Name of the cluster that the pod belongs to.</param>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Name">Name of the pod.</param>
/// <param name="Node">Node that the pod runs on.</param>
/// <param name="Address">The pod's IP address.</param>
internal sealed record EchoPod(string Cluster, string Namespace, string Name, string Node, IPAddress Address);

/// <summary>A port of an echo backend; the owner of its socket.</summary>
/// <param name="Pod">The pod.</param>
/// <param name="Port">The container port; differs from the port of the socket if it is remapped.</param>
internal sealed record EchoPort(EchoPod Pod, int Port);
