namespace KubeLB.Xds.Resources;

/// <summary>Type URLs of Envoy's v3 resources, and their properties in the protocol.</summary>
public static class ResourceTypes
{
    /// <summary>The prefix of type URLs.</summary>
    public const string Prefix = "type.googleapis.com/";

    /// <summary>Listeners (LDS).</summary>
    public const string Listener = Prefix + "envoy.config.listener.v3.Listener";

    /// <summary>Route tables (RDS).</summary>
    public const string RouteConfiguration = Prefix + "envoy.config.route.v3.RouteConfiguration";

    /// <summary>Clusters (CDS).</summary>
    public const string Cluster = Prefix + "envoy.config.cluster.v3.Cluster";

    /// <summary>Endpoints of clusters (EDS).</summary>
    public const string ClusterLoadAssignment = Prefix + "envoy.config.endpoint.v3.ClusterLoadAssignment";

    /// <summary>Certificates (SDS).</summary>
    public const string Secret = Prefix + "envoy.extensions.transport_sockets.tls.v3.Secret";

    /// <summary>
    /// The position in the order of additions on an aggregated stream: secrets, clusters, endpoints, listeners, route tables.
    /// </summary>
    internal static int Rank(string typeUrl) =>
        typeUrl switch
        {
            Secret => 0,
            Cluster => 1,
            ClusterLoadAssignment => 2,
            Listener => 3,
            RouteConfiguration => 4,
            _ => Unordered,
        };

    /// <summary>The rank of other types, which are not ordered.</summary>
    internal const int Unordered = int.MaxValue;

    /// <summary>
    /// Whether a response of this type in the state-of-the-world protocol contains all resources, so that missing ones are removed.
    /// </summary>
    internal static bool IsWholeState(string typeUrl) => typeUrl is Listener or Cluster;

    /// <summary>
    /// Whether other types refer to this type, so that its removals must follow theirs. No type refers to a listener. A listener with the
    /// port of a removed one must be in the same response as the removal.
    /// </summary>
    internal static bool IsReferredTo(string typeUrl) => typeUrl is Secret or Cluster or ClusterLoadAssignment or RouteConfiguration;
}
