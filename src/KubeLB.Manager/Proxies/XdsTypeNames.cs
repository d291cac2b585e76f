using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>Short names of Envoy's resource types, for people and labels.</summary>
internal static class XdsTypeNames
{
    /// <summary>Name of all types that no resource is served of: what a client asks for must not become a label.</summary>
    public const string Other = "other";

    /// <summary>The types that are served.</summary>
    public static readonly IReadOnlyList<(string TypeUrl, string Name)> All =
    [
        (ResourceTypes.Cluster, "cluster"),
        (ResourceTypes.ClusterLoadAssignment, "endpoints"),
        (ResourceTypes.Listener, "listener"),
        (ResourceTypes.RouteConfiguration, "route"),
        (ResourceTypes.Secret, "secret"),
    ];

    /// <summary>The name of a type.</summary>
    public static string Of(string typeUrl) => All.FirstOrDefault(t => t.TypeUrl == typeUrl).Name ?? Other;
}
