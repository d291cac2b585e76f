using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>Which Gateways and GatewayClasses are ours.</summary>
public static class GatewayOwnership
{
    /// <summary>Whether the class names our controller.</summary>
    public static bool IsOurs(GatewayClass gatewayClass) => gatewayClass.Spec?.ControllerName == GatewayClass.KubelbController;

    /// <summary>
    /// Whether the Gateway is ours: its class names our controller, or no such class exists and it is called
    /// <c>kubelb</c>, or classes are not asked for at all.
    /// </summary>
    public static bool IsOurs(Gateway gateway, ITenantView view, TenantSettings settings)
    {
        if (!settings.UseGatewayClass)
        {
            return true;
        }

        var className = gateway.Spec?.GatewayClassName ?? "";
        return view.GatewayClass(className) is { } gatewayClass ? IsOurs(gatewayClass) : className == GatewayClass.KubelbName;
    }
}
