namespace KubeLB.Xds.Discovery;

/// <summary>Limits and habits of the discovery server. The defaults fit fleets of thousands of proxies.</summary>
public sealed class XdsOptions
{
    /// <summary>
    /// Names this control plane in responses (<c>control_plane.identifier</c>), for people who debug a proxy. Empty: not sent.
    /// </summary>
    public string ControlPlane { get; set; } = "";

    /// <summary>
    /// Names that one stream may subscribe to, of all types together, and resources that it may begin with. More end the stream with
    /// RESOURCE_EXHAUSTED.
    /// </summary>
    public int MaxSubscribedNames { get; set; } = 200_000;

    /// <summary>Resource types that one stream may ask for. More end the stream with RESOURCE_EXHAUSTED.</summary>
    public int MaxTypesPerStream { get; set; } = 32;

    /// <summary>Bytes of one request; a reconnecting client names all that it has in one.</summary>
    public int MaxRequestBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Removals held back on one stream while the client keeps a listener or route table that it had before a rejected one, since that
    /// may refer to them. More are no longer held back.
    /// </summary>
    public int MaxHeldRemovals { get; set; } = 1_000;

    /// <summary>
    /// Sends a cluster's endpoints again after the cluster came or changed on the same aggregated stream, if the client asked for them
    /// before. Envoy warms the cluster with the next endpoints that it hears of; for those that another cluster asked for it does not ask
    /// again, and waits for its initial fetch timeout (15 s) when none come. https://github.com/envoyproxy/envoy/issues/13009
    /// </summary>
    public bool ResendEndpointsOfClusters { get; set; } = true;

    /// <summary>
    /// Until a listener that a client could not bind is sent to it again: doubled each time, <see cref="MaxListenerRetryDelay"/> at most.
    /// Envoy itself does not try again, and the port may be free by then.
    /// </summary>
    public TimeSpan ListenerRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest time until a listener that a client could not bind is sent again.</summary>
    public TimeSpan MaxListenerRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection that is silent for so long is asked whether it is alive.</summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>An answer that takes longer ends the connection and its streams.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Streams on one connection. A proxy without an aggregated stream opens one per cluster for its endpoints.</summary>
    public int MaxStreamsPerConnection { get; set; } = 10_000;
}
