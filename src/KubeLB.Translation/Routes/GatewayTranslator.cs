using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>A tenant's Gateway → the Route that carries it.</summary>
public static class GatewayTranslator
{
    /// <summary>The Route; null if the Gateway is not ours, or none of its listeners can be served.</summary>
    public static Route? Translate(Gateway gateway, ITenantView view, TenantSettings settings) =>
        GatewayOwnership.IsOurs(gateway, view, settings) && !RefusedListeners.IsAll(gateway)
            ? SourceResource.Wrap(gateway, ApiJson.ToJson(WithCarriedListeners(gateway.Spec ?? new GatewaySpec())), services: null, settings.TenantNamespace)
            : null;

    // A listener that nothing could be attached to would still take its port.
    private static GatewaySpec WithCarriedListeners(GatewaySpec spec)
    {
        if ((spec.Listeners ?? []).All(l => ListenerVerdict.Of(l).IsCarried))
        {
            return spec;
        }

        var carried = ApiJson.Copy(spec);
        carried.Listeners!.RemoveAll(l => !ListenerVerdict.Of(l).IsCarried);
        return carried;
    }
}
