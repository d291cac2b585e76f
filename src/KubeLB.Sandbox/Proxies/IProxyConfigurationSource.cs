using KubeLB.Xds.Snapshots;

namespace KubeLB.Sandbox.Proxies;

/// <summary>Where the stand-ins for the tenants' Envoy proxies get their configuration from.</summary>
internal interface IProxyConfigurationSource
{
    /// <summary>Node ids (<c>tenant-t</c>) that have a configuration, now and at each change.</summary>
    IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync(CancellationToken cancellationToken);

    /// <summary>The node's configuration now and at each change.</summary>
    IAsyncEnumerable<Snapshot> WatchAsync(string node, CancellationToken cancellationToken);
}

/// <summary>The configuration straight from the manager's snapshot cache, within the process.</summary>
internal sealed class SnapshotCacheSource(SnapshotCache cache) : IProxyConfigurationSource
{
    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync(CancellationToken cancellationToken) =>
        cache.WatchNodesAsync(cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Snapshot> WatchAsync(string node, CancellationToken cancellationToken) => cache.WatchAsync(node, cancellationToken);
}
