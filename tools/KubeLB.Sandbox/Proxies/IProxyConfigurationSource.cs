namespace KubeLB.Sandbox.Proxies;

/// <summary>Where the stand-ins for the tenants' Envoy proxies get their configuration from.</summary>
internal interface IProxyConfigurationSource
{
    /// <summary>Node ids (<c>tenant-t</c>) that have a proxy, now and at each change.</summary>
    IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync(CancellationToken cancellationToken);

    /// <summary>The node's configuration now and at each change.</summary>
    IAsyncEnumerable<Snapshot> WatchAsync(string node, CancellationToken cancellationToken);
}
