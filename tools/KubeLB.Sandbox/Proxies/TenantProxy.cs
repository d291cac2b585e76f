using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// Stand-in for a tenant's Envoy proxy: listens on the ports of its configuration and forwards connections to the endpoints, round robin.
/// An update opens new listeners before it closes removed ones, and drains open connections.
/// </summary>
internal sealed class TenantProxy(string node, IPAddress address, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<int, TcpForwarder> _listeners = new();
    private readonly ConcurrentDictionary<Task, byte> _draining = new();
    private Snapshot _snapshot = Snapshot.Empty;

    /// <summary>The tenant's node id, which is also its namespace.</summary>
    public string Node => node;

    /// <summary>The proxy's address.</summary>
    public IPAddress Address => address;

    /// <summary>The end point of a port; null if it is not served.</summary>
    public IPEndPoint? Resolve(int port) => _listeners.TryGetValue(port, out var listener) ? listener.LocalEndPoint : null;

    /// <summary>Follows the configuration until cancelled.</summary>
    public async Task RunAsync(IProxyConfigurationSource source, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var snapshot in source.WatchAsync(node, cancellationToken).ConfigureAwait(false))
            {
                Apply(snapshot);
            }
        }
        catch (OperationCanceledException) { }
    }

    /// <summary>Applies a configuration.</summary>
    public void Apply(Snapshot snapshot)
    {
        // Listeners resolve endpoints for each connection, so a change of endpoints only replaces the snapshot.
        Volatile.Write(ref _snapshot, snapshot);
        var desired = snapshot.Listeners.Values.Select(l => l.Port).ToHashSet();
        foreach (var port in desired.Where(port => !_listeners.ContainsKey(port)))
        {
            var at = ListeningSocket.Choose(new IPEndPoint(address, port));
            try
            {
                _listeners[port] = TcpForwarder.Start(at, () => Endpoints(port));
            }
            catch (System.Net.Sockets.SocketException e)
            {
                Log.ProxyCannotListen(logger, node, at, e.Message);
            }
        }

        foreach (var port in _listeners.Keys.Where(port => !desired.Contains(port)).ToList())
        {
            if (_listeners.TryRemove(port, out var listener))
            {
                Track(listener.DrainAsync(DrainTime));
            }
        }

        Log.ProxyConfigured(logger, node, snapshot.Listeners.Count, snapshot.Clusters.Count);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners.Values)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(_draining.Keys).ConfigureAwait(false);
    }

    private IReadOnlyList<IPEndPoint> Endpoints(int port)
    {
        var snapshot = Volatile.Read(ref _snapshot);
        var listener = snapshot.Listeners.Values.FirstOrDefault(l => l.Port == port);
        if (listener is null)
        {
            return [];
        }

        return
        [
            .. snapshot.Clusters[listener.Cluster].Endpoints.SelectMany(e => Addresses(e.Address).Select(a => new IPEndPoint(a, e.Port))),
        ];
    }

    private static IPAddress[] Addresses(string text)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            return [address];
        }

        try
        {
            return Dns.GetHostAddresses(text, System.Net.Sockets.AddressFamily.InterNetwork);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return [];
        }
    }

    private void Track(Task draining)
    {
        _draining.TryAdd(draining, 0);
        _ = draining.ContinueWith(done => _draining.TryRemove(done, out _), TaskScheduler.Default);
    }
}
