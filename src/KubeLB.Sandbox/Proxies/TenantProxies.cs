using System.Collections.Concurrent;
using System.Net;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies;

/// <summary>The stand-ins for all tenants' Envoy proxies, and the address book that says where each one is.</summary>
internal sealed class TenantProxies(LoopbackAddresses addresses, ILoggerFactory logging) : IAsyncDisposable
{
    private readonly ILogger _logger = logging.CreateLogger<TenantProxies>();
    private readonly ConcurrentDictionary<string, TenantProxy> _proxies = new(StringComparer.Ordinal);

    /// <summary>Where a tenant's proxy serves a port; null if it does not.</summary>
    /// <param name="node">Node id, for example <c>tenant-t</c>.</param>
    /// <param name="port">Port of the proxy's configuration.</param>
    public IPEndPoint? Resolve(string node, int port) => _proxies.TryGetValue(node, out var proxy) ? proxy.Resolve(port) : null;

    /// <summary>Address of a tenant's proxy; null if there is none.</summary>
    public IPAddress? AddressOf(string node) => _proxies.TryGetValue(node, out var proxy) ? proxy.Address : null;

    /// <summary>
    /// Follows a source until cancelled. Proxies keep serving their last configuration when a source ends, as Envoy does without its
    /// control plane; a later source takes them over.
    /// </summary>
    public async Task RunAsync(IProxyConfigurationSource source, CancellationToken cancellationToken)
    {
        var followed = new Dictionary<string, Task>(StringComparer.Ordinal);
        try
        {
            await foreach (var nodes in source.WatchNodesAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var node in nodes.Where(node => !followed.ContainsKey(node)))
                {
                    var proxy = _proxies.GetOrAdd(node, NewProxy);
                    followed.Add(node, proxy.RunAsync(source, cancellationToken));
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        await Task.WhenAll(followed.Values).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values)
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
        }
    }

    private TenantProxy NewProxy(string node) => new(node, addresses.Take(), _logger);
}
