using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Tracing;
using static KubeLB.Inspection.Tracing.TenantHops;

namespace KubeLB.Inspection.Dashboard;

/// <summary>
/// The state of an object from its conditions and those of its Route, without a look at other objects: as cheap as a list of thousands
/// needs it.
/// </summary>
internal static class RowStates
{
    /// <summary>The problems of a route; none if it works.</summary>
    /// <param name="source">The tenant's route; null if it cannot be read.</param>
    /// <param name="copy">Its Route; null if there is none, or it cannot be read.</param>
    /// <param name="missingParent">That a Gateway of the route does not exist, which no status reports; null if all exist.</param>
    public static IEnumerable<Hop> OfRoute(IGatewayRoute? source, Route? copy, Hop? missingParent = null)
    {
        if (source is null)
        {
            return OfCopy(copy);
        }

        var reported = (source.Status?.Parents ?? []).Where(p => p.ControllerName == GatewayClass.KubelbController).ToList();
        var conditions = reported.SelectMany(p => p.Conditions).ToList();
        return Problems(
                conditions,
                GatewayConditions.Accepted,
                GatewayConditions.ResolvedRefs,
                GatewayConditions.ProxyProgrammed,
                GatewayConditions.BackendsReady
            )
            .Concat(
                reported.Count == 0 ? [missingParent ?? NotReported]
                : missingParent is not null ? Outdated(conditions, source.Metadata.Generation).Append(missingParent)
                : Outdated(conditions, source.Metadata.Generation)
            )
            .Concat(Warnings(conditions))
            .Concat(OfCopy(copy));
    }

    /// <summary>The problems of a Gateway; none if it works.</summary>
    /// <param name="source">The tenant's Gateway; null if it cannot be read.</param>
    /// <param name="copy">Its Route; null if there is none, or it cannot be read.</param>
    public static IEnumerable<Hop> OfGateway(Gateway? source, Route? copy)
    {
        if (source is null)
        {
            return OfCopy(copy);
        }

        var conditions = source.Status?.Conditions ?? [];
        return Problems(conditions, GatewayConditions.Accepted, GatewayConditions.Programmed)
            .Concat(
                conditions.Exists(c => c.Type == GatewayConditions.Accepted)
                    ? Outdated(conditions, source.Metadata.Generation)
                    : [NotReported]
            )
            .Concat(
                (source.Status?.Listeners ?? []).SelectMany(l =>
                    Problems(l.Conditions, GatewayConditions.Accepted, GatewayConditions.Programmed, GatewayConditions.ResolvedRefs)
                )
            )
            .Concat(Warnings(conditions))
            .Concat(OfCopy(copy));
    }

    /// <summary>The problems of a tenant; none if it works.</summary>
    public static IEnumerable<Hop> OfTenant(Tenant tenant)
    {
        foreach (var condition in (tenant.Status?.Conditions ?? []).Where(c => c.Status == ConditionStatus.False))
        {
            yield return Of(
                condition.Type,
                condition.Type == TenantProxyConditions.ProxiesAvailable || tenant.Status?.Phase == TenantPhases.Failed
                    ? HopState.Broken
                    : HopState.Warning,
                condition
            );
        }

        if (tenant.Status?.Phase is null or TenantPhases.Pending or TenantPhases.Terminating)
        {
            yield return new Hop("Phase", HopState.Waiting) { Reason = tenant.Status?.Phase ?? GatewayConditions.Pending };
        }
    }

    private static Hop NotReported { get; } =
        new("Status", HopState.Waiting) { Reason = "NotReported", Message = "The CCM has not reported on the object yet." };

    private static IEnumerable<Hop> OfCopy(Route? copy)
    {
        if (copy is null)
        {
            return [];
        }

        if (copy.Status is null)
        {
            return
            [
                new Hop("Status", HopState.Waiting) { Reason = "NotReported", Message = "The manager has not reported on the Route yet." },
            ];
        }

        return (copy.Status.Resources?.Route?.Conditions ?? [])
            .Where(c =>
                c.Status == ConditionStatus.False
                && c.Type is RouteConditions.Permitted or RouteConditions.ResourceAppliedSuccessfully or RouteConditions.ProxyProgrammed
            )
            .Select(c => Of(c.Type, HopState.Broken, c))
            .Concat(Problems(copy.Status.Conditions, RouteConditions.Accepted, RouteConditions.Programmed));
    }

    private static IEnumerable<Hop> Outdated(List<Condition> conditions, long? generation) =>
        conditions.Exists(c => c.Type == GatewayConditions.Accepted && c.ObservedGeneration < generation)
            ?
            [
                new Hop("Status", HopState.Waiting)
                {
                    Reason = GatewayConditions.Pending,
                    Message = "The CCM has not reported on the latest change yet.",
                },
            ]
            : [];

    private static IEnumerable<Hop> Warnings(List<Condition> conditions) =>
        conditions
            .Where(c =>
                c
                    is {
                            IsTrue: true,
                            Type: GatewayConditions.FieldsIgnored
                                or GatewayConditions.DefaultExceeded
                                or GatewayConditions.PartiallyInvalid
                                or GatewayConditions.RouteRulesOverlap
                        }
                        or { Status: ConditionStatus.False, Type: GatewayConditions.RetryPolicyApplied }
            )
            .Select(c => Of(c.Type, HopState.Warning, c));
}
