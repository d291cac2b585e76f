using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// Stand-in for a tenant's Envoy proxy: listens on the ports of its configuration and forwards connections to the endpoints, round robin.
/// An update opens new listeners before it closes removed ones, and drains open connections.
/// </summary>
/// <param name="node">The tenant's node id, which is also its namespace.</param>
/// <param name="address">The proxy's address.</param>
/// <param name="logger">The logger.</param>
/// <param name="maxListeners">The maximum number of ports that are served at the same time.</param>
internal sealed class TenantProxy(string node, IPAddress address, ILogger logger, int maxListeners = TenantProxy.MaxListeners)
    : IAsyncDisposable
{
    /// <summary>
    /// The default maximum of ports. All tenants share the file descriptors of the sandbox, of which many machines permit 20,000, while
    /// each tenant has 55,536 ports.
    /// </summary>
    public const int MaxListeners = 1_000;

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<int, TcpForwarder> _listeners = new();
    private readonly ConcurrentDictionary<Task, byte> _draining = new();
    private Snapshot _snapshot = Snapshot.Empty;
    private bool _isLimited;

    /// <summary>The tenant's node id, which is also its namespace.</summary>
    public string Node => node;

    /// <summary>The proxy's address.</summary>
    public IPAddress Address => address;

    /// <summary>The end point of a port; null if it is not served.</summary>
    public IPEndPoint? Resolve(int port) => _listeners.TryGetValue(port, out var listener) ? listener.LocalEndPoint : null;

    /// <summary>Whether the proxy serves an end point.</summary>
    public bool Serves(IPEndPoint endPoint) =>
        address.Equals(endPoint.Address) && _listeners.Values.Any(listener => listener.LocalEndPoint.Equals(endPoint));

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
        OpenMissing(desired);
        foreach (var port in _listeners.Keys.Where(port => !desired.Contains(port)).ToList())
        {
            if (_listeners.TryRemove(port, out var listener))
            {
                Track(listener.DrainAsync(DrainTime));
            }
        }

        // Ports that exceeded the limit before others were closed.
        var excess = OpenMissing(desired);
        if (excess > 0 && !_isLimited)
        {
            Log.ProxyLimited(logger, node, maxListeners, excess);
        }

        _isLimited = excess > 0;
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

    /// <returns>The number of ports that exceed the limit.</returns>
    private int OpenMissing(IEnumerable<int> desired)
    {
        var missing = desired.Where(port => !_listeners.ContainsKey(port)).Order().ToList();
        var free = Math.Max(maxListeners - _listeners.Count, 0);
        foreach (var port in missing.Take(free))
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

        return Math.Max(missing.Count - free, 0);
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
