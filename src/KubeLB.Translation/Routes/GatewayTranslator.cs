using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>A tenant's Gateway → the Route that carries it.</summary>
public static class GatewayTranslator
{
    /// <summary>The Route; null if the Gateway is not ours.</summary>
    public static Route? Translate(Gateway gateway, ITenantView view, TenantSettings settings) =>
        GatewayOwnership.IsOurs(gateway, view, settings)
            ? SourceResource.Wrap(gateway, ApiJson.ToJson(gateway.Spec ?? new GatewaySpec()), services: null, settings.TenantNamespace)
            : null;
}
