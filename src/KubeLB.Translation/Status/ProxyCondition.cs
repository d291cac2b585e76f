using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>What a tenant's proxy rejected of a Route.</summary>
/// <param name="Proxy">The proxy's address.</param>
/// <param name="Type">What it rejected: <c>cluster</c>, <c>listener</c>, <c>endpoints</c>.</param>
/// <param name="Message">Its own words, on one line.</param>
public sealed record ProxyRejection(string Proxy, string Type, string Message);

/// <summary>
/// Says in the status of a Route that is held back that a proxy rejected the configuration of its new backends:
/// <see cref="RouteConditions.ProxyProgrammed"/> beside the other conditions of the generated object, for the tenant, and
/// <see cref="RouteConditions.Programmed"/> of the whole.
/// </summary>
public static class ProxyCondition
{
    /// <summary>Adds the condition to a status that was just built.</summary>
    /// <param name="status">The status as <see cref="RouteStatusBuilder"/> built it; changed here.</param>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="rejection">What is rejected.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static void Set(RouteStatus status, Route route, ProxyRejection rejection, string now)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(rejection);
        if (status.Resources?.Route is not { } generated)
        {
            return;
        }

        generated.Conditions = new ConditionSet(route.Status?.Resources?.Route?.Conditions, now)
            .SetAll((generated.Conditions ?? []).Where(c => c.Type != RouteConditions.ProxyProgrammed))
            .Set(
                RouteConditions.ProxyProgrammed,
                ConditionStatus.False,
                RouteConditions.ProxyRejected,
                $"Envoy rejected the {rejection.Type} of a new backend, so the route is not changed yet: {rejection.Message}",
                RouteStatusBuilder.SourceGeneration(route)
            )
            .ToList();
        RouteOverview.SetNotProgrammed(
            status,
            route,
            RouteConditions.ProxyRejected,
            $"Envoy {rejection.Proxy} rejected the {rejection.Type} of a new backend, so the route is not changed yet: {rejection.Message}",
            now
        );
    }
}
