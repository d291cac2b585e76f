using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>The stand-ins for all tenant proxies, by node id.</summary>
internal sealed class TenantProxies(LoopbackAddresses addresses, ILoggerFactory logging) : IAsyncDisposable
{
    private readonly ILogger _logger = logging.CreateLogger<TenantProxies>();
    private readonly ConcurrentDictionary<string, TenantProxy> _proxies = new(StringComparer.Ordinal);

    /// <summary>The end point of a port of a tenant's proxy; null if it is not served.</summary>
    /// <param name="node">Node id, for example <c>tenant-t</c>.</param>
    /// <param name="port">Port of the proxy's configuration.</param>
    public IPEndPoint? Resolve(string node, int port) => _proxies.TryGetValue(node, out var proxy) ? proxy.Resolve(port) : null;

    /// <summary>The node id of the proxy that serves an end point; null if there is none.</summary>
    public string? NodeOf(IPEndPoint endPoint) => _proxies.Values.FirstOrDefault(p => p.Serves(endPoint))?.Node;

    /// <summary>Address of a tenant's proxy; null if there is none.</summary>
    public IPAddress? AddressOf(string node) => _proxies.TryGetValue(node, out var proxy) ? proxy.Address : null;

    /// <summary>
    /// Follows a source until cancelled. Proxies keep their last configuration when a source ends, as Envoy does without its control plane;
    /// the next source adopts them. A proxy that is no longer in the source is stopped.
    /// </summary>
    public async Task RunAsync(IProxyConfigurationSource source, CancellationToken cancellationToken)
    {
        var followed = new Dictionary<string, Following>(StringComparer.Ordinal);
        try
        {
            await foreach (var nodes in source.WatchNodesAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var node in _proxies.Keys.Except(nodes).ToList())
                {
                    if (followed.Remove(node, out var following))
                    {
                        await following.DisposeAsync().ConfigureAwait(false);
                    }

                    await EndAsync(node).ConfigureAwait(false);
                }

                foreach (var node in nodes.Where(node => !followed.ContainsKey(node)))
                {
                    followed.Add(node, new Following(_proxies.GetOrAdd(node, NewProxy), source, cancellationToken));
                }
            }
        }
        catch (OperationCanceledException) { }

        foreach (var following in followed.Values)
        {
            await following.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values)
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task EndAsync(string node)
    {
        if (_proxies.TryRemove(node, out var proxy))
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
            addresses.Return(proxy.Address);
            Log.ProxyStopped(_logger, node);
        }
    }

    private TenantProxy NewProxy(string node) => new(node, addresses.Take(), _logger);

    private sealed class Following : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly Task _running;

        public Following(TenantProxy proxy, IProxyConfigurationSource source, CancellationToken cancellationToken)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _running = proxy.RunAsync(source, _stop.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(false);
            _stop.Dispose();
        }
    }
}

/// <summary>Source of the configuration of the stand-ins for tenant proxies.</summary>
internal interface IProxyConfigurationSource
{
    /// <summary>Node ids (<c>tenant-t</c>) with a proxy, initially and after each change.</summary>
    IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync(CancellationToken cancellationToken);

    /// <summary>The configuration of a node, initially and after each change.</summary>
    IAsyncEnumerable<Snapshot> WatchAsync(string node, CancellationToken cancellationToken);
}
