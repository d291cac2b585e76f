using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.References;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>Which Services of other namespaces a route may send traffic to.</summary>
/// <param name="route">The route.</param>
/// <param name="view">Finds ReferenceGrants.</param>
/// <param name="settings">Whether they are asked for at all.</param>
public sealed class BackendGrants(IGatewayRoute route, ITenantView view, TenantSettings settings)
{
    /// <summary>Whether the route may refer to the Service.</summary>
    public bool Permit(string @namespace, string name) =>
        !settings.EnforceReferenceGrants || ReferenceGrants.Permit(Reference(@namespace, name), view);

    /// <summary>Why it may not, and what would change that.</summary>
    public string Refusal(string @namespace, string name) => ReferenceGrants.Refusal(Reference(@namespace, name));

    private CrossReference Reference(string @namespace, string name) =>
        new(route.Kind, route.Metadata.NamespaceProperty, V1Service.KubeKind, @namespace, name);
}
