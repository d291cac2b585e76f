namespace KubeLB.Xds.Resources;

/// <summary>Type URLs of Envoy's v3 resources, and what the protocol says of each type.</summary>
public static class ResourceTypes
{
    /// <summary>What precedes a message's full name in a type URL.</summary>
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

    /// <summary>Place in the order of additions on an aggregated stream; what refers to something comes after it.</summary>
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

    /// <summary>The rank of a type that nothing is known of: it neither waits nor is waited for.</summary>
    internal const int Unordered = int.MaxValue;

    /// <summary>In the state-of-the-world protocol a response of this type holds everything, and what it lacks is removed.</summary>
    internal static bool IsWholeState(string typeUrl) => typeUrl is Listener or Cluster;

    /// <summary>
    /// Others refer to this type, so its removals wait until what refers to them is gone. Nothing refers to a listener; and a
    /// listener that takes over another's port must come in the same response as the other's removal.
    /// </summary>
    internal static bool IsReferredTo(string typeUrl) => typeUrl is Secret or Cluster or ClusterLoadAssignment or RouteConfiguration;
}
