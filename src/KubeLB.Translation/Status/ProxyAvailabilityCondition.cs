using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>
/// Says in the status of a Gateway's Route that none of the tenant's proxies serves, as its Tenant has it:
/// <see cref="TenantProxyConditions.ProxiesAvailable"/> beside the other conditions of the generated object, for the tenant, and
/// <see cref="RouteConditions.Programmed"/> of the whole. Envoy Gateway says the same of proxies of its own, and does not know of these.
/// Routes are many, and say nothing of it.
/// </summary>
public static class ProxyAvailabilityCondition
{
    private const string ForTheTenant =
        "None of the proxies behind this Gateway runs in the management cluster: requests are answered with 503. Whoever runs it "
        + "is told; there is nothing to change here.";

    /// <summary>The condition of a Tenant none of whose proxies serves; null if one does, or none is needed.</summary>
    public static Condition? Of(TenantStatus? status) =>
        status?.Conditions?.FirstOrDefault(c => c is { Type: TenantProxyConditions.ProxiesAvailable, Status: ConditionStatus.False });

    /// <summary>Adds the condition to a status that was just built; removes it where proxies serve.</summary>
    /// <param name="status">The status as <see cref="RouteStatusBuilder"/> built it; changed here.</param>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="tenant">Its Tenant; null if there is none.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static void Set(RouteStatus status, Route route, Tenant? tenant, string now)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(route);
        if (status.Resources?.Route is not { Kind: Gateway.KindName, GeneratedName.Length: > 0 } generated)
        {
            return;
        }

        var ofGenerated = new ConditionSet(route.Status?.Resources?.Route?.Conditions, now).SetAll(
            (generated.Conditions ?? []).Where(c => c.Type != TenantProxyConditions.ProxiesAvailable)
        );
        if (Of(tenant?.Status) is { } told)
        {
            ofGenerated.Set(
                TenantProxyConditions.ProxiesAvailable,
                ConditionStatus.False,
                told.Reason,
                ForTheTenant,
                RouteStatusBuilder.SourceGeneration(route)
            );
            RouteOverview.SetNotProgrammed(status, route, told.Reason, told.Message, now);
        }

        generated.Conditions = ofGenerated.ToList();
    }
}
