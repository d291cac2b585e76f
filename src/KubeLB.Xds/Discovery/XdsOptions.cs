namespace KubeLB.Xds.Discovery;

/// <summary>Settings of the discovery server. The defaults are suitable for thousands of proxies.</summary>
public sealed class XdsOptions
{
    /// <summary>
    /// The <c>control_plane.identifier</c> of responses, for debugging a proxy. Empty to omit it.
    /// </summary>
    public string ControlPlane { get; set; } = "";

    /// <summary>
    /// The maximum number of subscribed names of a stream, for all types together, and of its initial resources. Exceeding it ends the
    /// stream with RESOURCE_EXHAUSTED. Envoy subscribes to all listeners and clusters by one name, and to the endpoints of each node port,
    /// of which there are at most 65,535.
    /// </summary>
    public int MaxSubscribedNames { get; set; } = 100_000;

    /// <summary>The maximum number of resource types of a stream. Exceeding it ends the stream with RESOURCE_EXHAUSTED.</summary>
    public int MaxTypesPerStream { get; set; } = 16;

    /// <summary>
    /// The maximum number of characters of a resource name, a node id or a type. Exceeding it ends the stream with INVALID_ARGUMENT. The
    /// names of the manager's resources have up to 75 characters, and names of Kubernetes objects up to 253.
    /// </summary>
    public int MaxNameLength { get; set; } = 256;

    /// <summary>
    /// The maximum size of a request in bytes. Exceeding it ends the stream with RESOURCE_EXHAUSTED. The largest request is the first one
    /// of a reconnecting client, with names and versions of its resources of one type: at most 150 bytes each, so that the 55,000 ports
    /// that a tenant can have fit. A rejection is small, because Envoy truncates its error message to 4 KiB.
    /// </summary>
    public int MaxRequestBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// The maximum number of open streams of a node id. Further ones end with RESOURCE_EXHAUSTED. An Envoy has one aggregated stream, or
    /// two without aggregation, and for a short time twice as many after a reconnect: the default is sufficient for 500 proxies of a
    /// tenant.
    /// </summary>
    public int MaxStreamsPerNode { get; set; } = 2_000;

    /// <summary>
    /// The maximum time until the first request of a stream. Exceeding it ends the stream with DEADLINE_EXCEEDED. Envoy sends its first
    /// request immediately; until then, a stream belongs to no node id, whose streams are limited.
    /// </summary>
    public TimeSpan FirstRequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The maximum number of removals that are deferred on a stream after the client rejected a listener or route table, because the
    /// version that the client keeps may refer to the removed resources. If the number is exceeded, the removals are sent.
    /// </summary>
    public int MaxDeferredRemovals { get; set; } = 1_000;

    /// <summary>
    /// Resends the endpoints of a cluster after the cluster was added or changed on the same aggregated stream, if the client is already
    /// subscribed to them. Envoy warms the cluster with the next endpoints it receives. It does not subscribe again to endpoints that it
    /// requested for another cluster, and waits for the initial fetch timeout (15 s). https://github.com/envoyproxy/envoy/issues/13009
    /// </summary>
    public bool ResendEndpointsOfClusters { get; set; } = true;

    /// <summary>
    /// The delay after which a listener that a client could not bind is resent, because Envoy does not retry. Doubles with each retry, up
    /// to <see cref="MaxListenerRetryDelay"/>.
    /// </summary>
    public TimeSpan ListenerRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The maximum of <see cref="ListenerRetryDelay"/>.</summary>
    public TimeSpan MaxListenerRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The idle time of a connection after which a keep-alive ping is sent.</summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The timeout of a keep-alive ping, after which the connection and its streams are closed.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The maximum number of open streams of a connection, which HTTP/2 announces to the client. An Envoy has one aggregated stream, or one
    /// for listeners and one for clusters.
    /// </summary>
    public int MaxStreamsPerConnection { get; set; } = 100;
}
