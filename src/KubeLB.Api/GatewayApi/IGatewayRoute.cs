namespace KubeLB.Api.GatewayApi;

/// <summary>What HTTPRoute and GRPCRoute have in common, so that what treats both alike is written once.</summary>
public interface IGatewayRoute : k8s.IKubernetesObject<k8s.Models.V1ObjectMeta>
{
    /// <summary>Gateways (and others) that the route wants to attach to.</summary>
    List<ParentReference> ParentRefs { get; }

    /// <summary>Host names; empty means those of the listeners.</summary>
    IReadOnlyList<string> Hostnames { get; }

    /// <summary>The rules in order.</summary>
    IReadOnlyList<RouteRule> Rules { get; }

    /// <summary>Status, shaped alike for both kinds.</summary>
    RouteParentsStatus? Status { get; set; }
}
