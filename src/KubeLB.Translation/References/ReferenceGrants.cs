using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.References;

/// <summary>Whether a reference into another namespace is permitted there.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/geps/gep-709/</remarks>
public static class ReferenceGrants
{
    /// <summary>
    /// Whether an object of Gateway API may refer to an object of the core group: within a namespace always, into another one if
    /// one ReferenceGrant there names both.
    /// </summary>
    /// <param name="reference">The reference.</param>
    /// <param name="view">Finds the grants of a namespace.</param>
    public static bool Permit(CrossReference reference, ITenantView view) =>
        reference.FromNamespace == reference.ToNamespace
        || view.ReferenceGrants(reference.ToNamespace).Any(grant => Permits(grant, reference));

    /// <summary>What is not permitted, and the grant that would permit it.</summary>
    public static string Refusal(CrossReference reference) =>
        $"{reference.ToKind} {reference.ToNamespace}/{reference.ToName} not permitted by any ReferenceGrant; create one in namespace "
        + $"{reference.ToNamespace} "
        + $"with from {{group: {ApiGroups.GatewayApi}, kind: {reference.FromKind}, namespace: {reference.FromNamespace}}} "
        + $"and to {{group: \"\", kind: {reference.ToKind}, name: {reference.ToName}}}";

    // Both ends in one grant: from of one and to of another permit nothing.
    private static bool Permits(ReferenceGrant grant, CrossReference reference) =>
        (grant.Spec?.From ?? []).Any(from =>
            from.Group == ApiGroups.GatewayApi && from.Kind == reference.FromKind && from.Namespace == reference.FromNamespace
        )
        && (grant.Spec?.To ?? []).Any(to =>
            string.IsNullOrEmpty(to.Group) && to.Kind == reference.ToKind && (string.IsNullOrEmpty(to.Name) || to.Name == reference.ToName)
        );
}

/// <summary>A reference from an object of Gateway API to one of the core group.</summary>
/// <param name="FromKind">Kind of the referring object, for example <c>HTTPRoute</c>.</param>
/// <param name="FromNamespace">Its namespace.</param>
/// <param name="ToKind">Kind of the target, for example <c>Service</c>.</param>
/// <param name="ToNamespace">Its namespace.</param>
/// <param name="ToName">Its name.</param>
public sealed record CrossReference(string FromKind, string FromNamespace, string ToKind, string ToNamespace, string ToName);
