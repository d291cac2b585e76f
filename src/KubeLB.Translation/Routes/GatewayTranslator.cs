using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>A tenant's Gateway → the Route that carries it.</summary>
public static class GatewayTranslator
{
    /// <summary>
    /// The Route; null if the Gateway is not ours. A certificateRef into another namespace that no ReferenceGrant permits is carried under
    /// a name that resolves to nothing, since the Secret may be in the management cluster for another Gateway's sake.
    /// </summary>
    public static Route? Translate(Gateway gateway, ITenantView view, TenantSettings settings) =>
        GatewayOwnership.IsOurs(gateway, view, settings)
            ? SourceResource.Wrap(gateway, ApiJson.ToJson(Permitted(gateway, view)), services: null, settings.TenantNamespace)
            : null;

    private static GatewaySpec Permitted(Gateway gateway, ITenantView view)
    {
        var spec = gateway.Spec ?? new GatewaySpec();
        if (References(spec).All(reference => ListenerCertificates.IsPermitted(gateway, reference, view)))
        {
            return spec;
        }

        var copy = ApiJson.Copy(spec);
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
