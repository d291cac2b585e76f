using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// A tenant's Gateway, HTTPRoute or GRPCRoute in the management cluster, with the Services behind it. Named after the
/// UID of the tenant's object, in the tenant's namespace. The CCM writes the spec, the manager the status.
/// </summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Route : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Route";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "routes";

    /// <summary>An empty Route of the right type.</summary>
    public Route()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>What the tenant wants served: a <see cref="RouteSpec"/>, or whatever stands in its place.</summary>
    public RouteSpecJson? Spec { get; set; }

    /// <summary>What the manager made of it.</summary>
    public RouteStatus? Status { get; set; }
}
