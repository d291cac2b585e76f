using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>What a tenant's proxy refused of a Route.</summary>
/// <param name="Proxy">The proxy's address.</param>
/// <param name="Type">What it refused: <c>cluster</c>, <c>listener</c>, <c>endpoints</c>.</param>
/// <param name="Message">Its own words, on one line.</param>
public sealed record ProxyRejection(string Proxy, string Type, string Message);

/// <summary>
/// Says in a Route's status that a proxy refuses its part of the configuration: <see cref="RouteConditions.ProxyProgrammed"/> beside the other
/// conditions of the generated object, for the tenant, and <see cref="RouteConditions.Programmed"/> of the whole. That proxies take what they
/// are sent is the rule, and is not written.
/// </summary>
public static class ProxyCondition
{
    /// <summary>Adds the condition to a status that was just built; removes it where nothing is refused.</summary>
    /// <param name="status">The status as <see cref="RouteStatusBuilder"/> built it; changed here.</param>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="rejection">What is refused; null if nothing.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static void Set(RouteStatus status, Route route, ProxyRejection? rejection, string now)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(route);
        if (status.Resources?.Route is not { } generated)
        {
            return;
        }

        var ofGenerated = new ConditionSet(route.Status?.Resources?.Route?.Conditions, now)
            .SetAll((generated.Conditions ?? []).Where(c => c.Type != RouteConditions.ProxyProgrammed));
        if (rejection is not null)
        {
            ofGenerated.Set(
                RouteConditions.ProxyProgrammed,
                ConditionStatus.False,
                RouteConditions.ProxyRejected,
                $"A proxy refuses what this comes to ({rejection.Type}) and goes on with what it had: {rejection.Message}",
                RouteStatusBuilder.SourceGeneration(route));
            RouteOverview.SetNotProgrammed(
                status,
                route,
                RouteConditions.ProxyRejected,
                $"Proxy {rejection.Proxy} refuses the {rejection.Type} and goes on with what it had: {rejection.Message}",
                now);
        }

        generated.Conditions = ofGenerated.ToList();
    }
}
