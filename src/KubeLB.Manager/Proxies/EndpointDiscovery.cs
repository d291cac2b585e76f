namespace KubeLB.Manager.Proxies;

/// <summary>How a proxy comes to the endpoints of its clusters.</summary>
internal enum EndpointDiscovery
{
    /// <summary>Over EDS, on the aggregated stream: a change of the nodes is one small resource per node port.</summary>
    Eds,

    /// <summary>They are in each cluster, some as host names, which Envoy resolves; EDS knows addresses only.</summary>
    Dns,

    /// <summary>
    /// They are in each cluster, as addresses: for proxies that may have no aggregated stream, and refuse clusters that refer to it.
    /// </summary>
    Static,
}
