using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>Translates a tenant's HTTPRoute or GRPCRoute to a Route.</summary>
public static class RouteTranslator
{
    /// <summary>Evaluates the parentRefs, resolves the backends, and builds the Route.</summary>
    public static RouteTranslation Translate(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var parents = RouteAttachment.Evaluate(route, view, settings);
        var backends = BackendResolution.Resolve(route, view, settings);
        return new RouteTranslation(parents, backends, Wrap(route, parents, backends, settings));
    }

    private static Route? Wrap(
        IGatewayRoute route,
        IReadOnlyList<ParentAttachment> parents,
        BackendResolution backends,
        TenantSettings settings
    )
    {
        var parentRefs = parents
            .SelectMany(p => p.AttachedRefs.Select(r => (p.Gateway, Ref: r)))
            .DistinctBy(p => (p.Gateway.Namespace, p.Gateway.Name, p.Ref.SectionName ?? "", p.Ref.Port))
            .Select(p => p.Ref)
            .ToList();
        if (parents.Count == 0 || !settings.IsGatewayControllerEnabled)
        {
            return null;
        }

        if (parentRefs.Count == 0)
        {
            // Without hostnames, which would be claimed, and without backends, which would be served.
            return SourceResource.Wrap(
                route,
                new JsonObject { ["parentRefs"] = new JsonArray() },
                services: null,
                settings.TenantNamespace
            );
        }

        var spec = ApiJson.ToJson(route)["spec"]!.DeepClone().AsObject();
        spec["parentRefs"] = new JsonArray([.. parentRefs.Select(JsonNode (p) => ApiJson.ToJson(p))]);
        return SourceResource.Wrap(route, spec, backends.Services, settings.TenantNamespace);
    }
}

/// <summary>The result of translating a tenant's route.</summary>
/// <param name="Parents">One result per parentRef to a Gateway of KubeLB; empty if KubeLB does not serve the route.</param>
/// <param name="Backends">Its backends.</param>
/// <param name="Desired">
/// The Route; null if the route names no Gateway of KubeLB. If no parent allows the route, the Route is parked: it has no parentRefs,
/// hostnames and rules, and only preserves the age of the generated route. An attached one must not be written while there are
/// <see cref="BackendResolution.PendingServices"/>, so that it is complete when it is created.
/// </param>
public sealed record RouteTranslation(IReadOnlyList<ParentAttachment> Parents, BackendResolution Backends, Route? Desired)
{
    /// <summary>Whether at least one parent allows the route.</summary>
    public bool IsAttached => Parents.Any(p => p.AttachedRefs.Count > 0);
}

/// <summary>Translates a tenant's Gateway to a Route.</summary>
public static class GatewayTranslator
{
    /// <summary>
    /// The Route, without invalid listeners; null if KubeLB does not serve the Gateway or none of its listeners is valid. A certificateRef
    /// into another namespace that no ReferenceGrant permits gets a name that does not resolve, because the Secret may be in the management
    /// cluster for another Gateway.
    /// </summary>
    public static Route? Translate(Gateway gateway, ITenantView view, TenantSettings settings) =>
        settings.IsGatewayControllerEnabled && GatewayOwnership.Owns(gateway, view, settings) && !InvalidListeners.AreAll(gateway)
            ? SourceResource.Wrap(gateway, ApiJson.ToJson(SyncedSpec(gateway, view)), services: null, settings.TenantNamespace)
            : null;

    private static GatewaySpec SyncedSpec(Gateway gateway, ITenantView view)
    {
        var spec = gateway.Spec ?? new GatewaySpec();
        if (
            ListenerValidation.Evaluate(gateway).All(v => v.IsValid)
            && References(spec).All(reference => ListenerCertificates.IsPermitted(gateway, reference, view))
        )
        {
            return spec;
        }

        var copy = ApiJson.Copy(spec);

        // An invalid listener would still use its port.
        copy.Listeners?.RemoveAll(l => !ListenerValidation.Evaluate(l).IsValid);
        foreach (var reference in References(copy).Where(reference => !ListenerCertificates.IsPermitted(gateway, reference, view)))
        {
            reference.Name = UnresolvedNames.For(reference.Namespace!, reference.Name);
            reference.Namespace = null;
        }

        return copy;
    }

    private static IEnumerable<SecretObjectReference> References(GatewaySpec spec) =>
        (spec.Listeners ?? []).SelectMany(listener => listener.Tls?.CertificateRefs ?? []);
}
