using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>A tenant's Gateway → the Route that carries it.</summary>
public static class GatewayTranslator
{
    /// <summary>
    /// The Route, without the listeners that cannot be served; null if the Gateway is not ours, or none of its listeners can. A
    /// certificateRef into another namespace that no ReferenceGrant permits is carried under a name that resolves to nothing, since the
    /// Secret may be in the management cluster for another Gateway's sake.
    /// </summary>
    public static Route? Translate(Gateway gateway, ITenantView view, TenantSettings settings) =>
        settings.CarriesGateways && GatewayOwnership.IsOf(gateway, view, settings) && !InvalidListeners.IsAll(gateway)
            ? SourceResource.Wrap(gateway, ApiJson.ToJson(Carried(gateway, view)), services: null, settings.TenantNamespace)
            : null;

    private static GatewaySpec Carried(Gateway gateway, ITenantView view)
    {
        var spec = gateway.Spec ?? new GatewaySpec();
        if (
            ListenerVerdict.Of(gateway).All(v => v.IsCarried)
            && References(spec).All(reference => ListenerCertificates.IsPermitted(gateway, reference, view))
        )
        {
            return spec;
        }

        var copy = ApiJson.Copy(spec);

        // A listener that nothing could be attached to would still take its port.
        copy.Listeners?.RemoveAll(l => !ListenerVerdict.Of(l).IsCarried);
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
