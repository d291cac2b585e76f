using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Status;

/// <summary>
/// The management side's report, and what the CCM itself knows → the parents of a tenant's HTTPRoute or GRPCRoute. Entries
/// of other controllers stay as they are.
/// </summary>
public static class RouteStatusTranslator
{
    private const string RefusedGatewayMessage =
        "There are no ready listeners for this parent ref: the Gateway is refused, see its conditions.";

    /// <summary>The whole list of parents.</summary>
    /// <param name="source">The tenant's route.</param>
    /// <param name="translation">What it came to.</param>
    /// <param name="route">Its Route in the management cluster; null if there is none (yet).</param>
    /// <param name="view">Finds the Routes of Gateways, and with them the names that the report uses.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    /// <param name="refusal">Why the management cluster does not take the Route; null if it does, or has not been asked.</param>
    public static RouteParentsStatus Translate(
        IGatewayRoute source,
        RouteTranslation translation,
        Route? route,
        ITenantView view,
        string now,
        string? refusal = null
    )
    {
        var report = ReportedStatus.Of(route);
        var parents = (source.Status?.Parents ?? []).Where(p => p.ControllerName != GatewayClass.KubelbController).ToList();
        foreach (var verdict in translation.Parents)
        {
            var before = source.Status?.Parents.FirstOrDefault(p =>
                p.ControllerName == GatewayClass.KubelbController && p.ParentRef.IsSameAs(verdict.Ref)
            );
            parents.Add(
                new RouteParentStatus
                {
                    ParentRef = verdict.Ref,
                    ControllerName = GatewayClass.KubelbController,
                    Conditions = Conditions(source, translation, verdict, report, view, refusal, new ConditionSet(before?.Conditions, now)),
                }
            );
        }

        return new RouteParentsStatus { Parents = parents };
    }

    /// <summary>
    /// Whether a status that was never written would only say that there is no answer yet. It is worth a request only if the
    /// answer lets wait.
    /// </summary>
    public static bool SaysNothingYet(IGatewayRoute source, RouteParentsStatus status) =>
        source.Status?.Parents.Any(IsOurs) is not true
        && status
            .Parents.Where(IsOurs)
            .SelectMany(p => p.Conditions)
            .All(c => c is { Status: ConditionStatus.Unknown, Reason: GatewayConditions.Pending });

    private static bool IsOurs(RouteParentStatus parent) => parent.ControllerName == GatewayClass.KubelbController;

    private static List<Condition> Conditions(
        IGatewayRoute source,
        RouteTranslation translation,
        ParentVerdict verdict,
        ReportedStatus report,
        ITenantView view,
        string? notTaken,
        ConditionSet conditions
    )
    {
        var generation = source.Metadata.Generation ?? 0;
        if (verdict.Refusal is { } refusal)
        {
            conditions.Set(GatewayConditions.Accepted, ConditionStatus.False, refusal.Reason, refusal.Message, generation);
            SetResolvedRefs(conditions, translation, generation);
        }
        else if ((notTaken ?? verdict.NotCarried) is { } why)
        {
            conditions.Set(GatewayConditions.Accepted, ConditionStatus.False, GatewayConditions.Pending, why, generation);
            SetResolvedRefs(conditions, translation, generation);
        }
        else
        {
            CarryReported(conditions, verdict, report, view, generation);
            if (report.RetryPolicy is { } retries)
            {
                conditions.Set(
                    GatewayConditions.RetryPolicyApplied,
                    retries.Status,
                    retries.Reason,
                    retries.Message,
                    retries.ObservedGeneration ?? generation
                );
            }

            if (report.ProxyRejection is { } refused)
            {
                conditions.Set(
                    GatewayConditions.ProxyProgrammed,
                    refused.Status,
                    refused.Reason,
                    refused.Message,
                    refused.ObservedGeneration ?? generation
                );
            }

            if (translation.Backends.Refusal is not null)
            {
                // The management side sees names that cannot exist; the tenant is told its own.
                SetResolvedRefs(conditions, translation, generation);
            }
        }

        return conditions.ToList();
    }

    private static void SetResolvedRefs(ConditionSet conditions, RouteTranslation translation, long generation)
    {
        var refusal = translation.Backends.Refusal;
        conditions.Set(
            GatewayConditions.ResolvedRefs,
            ConditionStatus.Of(refusal is null),
            refusal?.Reason ?? GatewayConditions.ResolvedRefs,
            refusal?.Message ?? "Resolved all the Object references for the Route",
            generation
        );
    }

    private static void CarryReported(
        ConditionSet conditions,
        ParentVerdict verdict,
        ReportedStatus report,
        ITenantView view,
        long generation
    )
    {
        if (report.Failure is { } failure)
        {
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                report.NotPermitted ?? GatewayConditions.UnsupportedValue,
                failure.Message,
                report.FailureGeneration
            );
            if (!report.IsRefused)
            {
                conditions.Keep(GatewayConditions.ResolvedRefs);
            }

            return;
        }

        if (ReportedStatus.Of(view.GatewayRoute(verdict.Gateway.Namespace, verdict.Gateway.Name)).IsRefused)
        {
            // Envoy Gateway says nothing of a parent that is not there.
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                GatewayConditions.NoReadyListeners,
                RefusedGatewayMessage,
                generation
            );
            return;
        }

        var reported = Reported(verdict, report, view);
        conditions.KeepOrPending(GatewayConditions.Accepted, generation);
        conditions.Keep(GatewayConditions.ResolvedRefs);
        foreach (var group in reported.SelectMany(p => p.Conditions).GroupBy(c => c.Type))
        {
            conditions.Carry(Merge(group.Key, [.. group]), report, generation);
        }
    }

    // One parentRef may have been pinned to several listeners: it is accepted if any is, resolved only if all are.
    private static Condition Merge(string type, List<Condition> conditions)
    {
        var decisive = type == GatewayConditions.Accepted ? ConditionStatus.True : ConditionStatus.False;
        return conditions.FirstOrDefault(c => c.Status == decisive) ?? conditions[0];
    }

    private static List<RouteParentStatus> Reported(ParentVerdict verdict, ReportedStatus report, ITenantView view)
    {
        var name = view.GatewayRoute(verdict.Gateway.Namespace, verdict.Gateway.Name)?.Status?.Resources?.Route?.GeneratedName;
        return
        [
            .. (report.RouteParents?.Parents ?? []).Where(p =>
                p.ParentRef.Name == name
                && verdict.Pinned.Any(pinned => pinned.SectionName == p.ParentRef.SectionName && pinned.Port == p.ParentRef.Port)
            ),
        ];
    }
}
