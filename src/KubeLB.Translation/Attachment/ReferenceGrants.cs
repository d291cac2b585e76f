using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>Whether ReferenceGrants permit a reference into another namespace.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/geps/gep-709/</remarks>
public static class ReferenceGrants
{
    /// <summary>
    /// Whether an object of Gateway API may refer to an object of the core group. A reference within a namespace is always permitted; a
    /// reference into another namespace requires a ReferenceGrant there that names both.
    /// </summary>
    /// <param name="reference">The reference.</param>
    /// <param name="view">Finds the grants of a namespace.</param>
    public static bool IsPermitted(CrossReference reference, ITenantView view) =>
        reference.FromNamespace == reference.ToNamespace
        || view.ReferenceGrants(reference.ToNamespace).Any(grant => Permits(grant, reference));

    /// <summary>The message for a reference that is not permitted.</summary>
    public static string NotPermitted(CrossReference reference) =>
        BackendMessages.ReferenceNotPermitted(
            reference.ToKind,
            reference.ToNamespace,
            reference.ToName,
            reference.FromKind,
            reference.FromNamespace
        );

    // The same grant must match both objects: from of one grant and to of another permit nothing.
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

/// <summary>Which Services of other namespaces a route may send traffic to.</summary>
/// <param name="route">The route.</param>
/// <param name="view">Finds ReferenceGrants.</param>
/// <param name="settings">Whether ReferenceGrants are enforced.</param>
public sealed class BackendGrants(IGatewayRoute route, ITenantView view, TenantSettings settings)
{
    /// <summary>Whether the route may refer to the Service.</summary>
    public bool IsPermitted(string @namespace, string name) =>
        !settings.EnforceReferenceGrants || ReferenceGrants.IsPermitted(Reference(@namespace, name), view);

    /// <summary>The message for a Service that the route may not refer to.</summary>
    public string NotPermitted(string @namespace, string name) => ReferenceGrants.NotPermitted(Reference(@namespace, name));

    private CrossReference Reference(string @namespace, string name) =>
        new(route.Kind, route.Metadata.NamespaceProperty, V1Service.KubeKind, @namespace, name);
}
