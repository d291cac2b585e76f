using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Events;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Status;

/// <summary>
/// Translates the report of the management cluster, and the CCM's own results, to the parents of a tenant's HTTPRoute or GRPCRoute. Entries
/// of other controllers are unchanged.
/// </summary>
public static class RouteStatusTranslator
{
    /// <summary>Builds the list of parents.</summary>
    /// <param name="source">The tenant's route.</param>
    /// <param name="translation">The result of translating it.</param>
    /// <param name="route">Its Route in the management cluster; null if there is none yet.</param>
    /// <param name="view">Finds the Routes of Gateways, whose status has the generated names that the report uses.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    /// <param name="rejection">Why the management cluster rejected the Route; null if it did not.</param>
    /// <param name="readiness">Whether the backends are ready; null if it is not known.</param>
    public static RouteParentsStatus Translate(
        IGatewayRoute source,
        RouteTranslation translation,
        Route? route,
        ITenantView view,
        string now,
        Rejection? rejection = null,
        ReadinessReport? readiness = null
    )
    {
        var report = ReportedStatus.Read(route, view.OriginOf);
        var parents = (source.Status?.Parents ?? []).Where(p => p.ControllerName != GatewayClass.KubelbController).ToList();
        foreach (var parent in translation.Parents)
        {
            var before = source.Status?.Parents.FirstOrDefault(p =>
                p.ControllerName == GatewayClass.KubelbController && p.ParentRef.IsSameAs(parent.Ref)
            );
            parents.Add(
                new RouteParentStatus
                {
                    ParentRef = parent.Ref,
                    ControllerName = GatewayClass.KubelbController,
                    Conditions = Conditions(
                        source,
                        translation,
                        parent,
                        report,
                        view,
                        rejection,
                        readiness,
                        new ConditionSet(before?.Conditions, now)
                    ),
                }
            );
        }

        return new RouteParentsStatus { Parents = parents };
    }

    /// <summary>
    /// Whether the route has no status of KubeLB yet, and the new one would only report that the management cluster has not reported yet.
    /// Such a status is written only if the report is delayed.
    /// </summary>
    public static bool IsPendingOnly(IGatewayRoute source, RouteParentsStatus status) =>
        source.Status?.Parents.Any(IsOfKubelb) is not true
        && status
            .Parents.Where(IsOfKubelb)
            .SelectMany(p => p.Conditions)
            .All(c => c is { Status: ConditionStatus.Unknown, Reason: GatewayConditions.Pending });

    private static bool IsOfKubelb(RouteParentStatus parent) => parent.ControllerName == GatewayClass.KubelbController;

    private static List<Condition> Conditions(
        IGatewayRoute source,
        RouteTranslation translation,
        ParentAttachment parent,
        ReportedStatus report,
        ITenantView view,
        Rejection? rejection,
        ReadinessReport? readiness,
        ConditionSet conditions
    )
    {
        var generation = source.Metadata.Generation ?? 0;
        if ((parent.Rejection ?? rejection ?? parent.GatewayRejection) is { } decisive)
        {
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                decisive.Reason,
                RouteMessages.WithRemedy(decisive.Reason, decisive.Message),
                generation
            );
            SetResolvedRefs(conditions, translation, generation);
        }
        else
        {
            SetReported(conditions, parent, report, view, translation.Backends.Rejection is null, generation);
            conditions.SetOwn(GatewayConditions.FieldsIgnored, report.FieldsIgnored, generation);
            conditions.SetOwn(GatewayConditions.DefaultExceeded, report.DefaultExceeded, generation);
            conditions.SetOwn(GatewayConditions.RetryPolicyApplied, report.RetryPolicy, generation);
            conditions.SetOwn(GatewayConditions.ProxyProgrammed, report.ProxyRejection, generation);
            if (translation.Backends.Rejection is not null)
            {
                // The management cluster reports generated names; the tenant needs its own.
                SetResolvedRefs(conditions, translation, generation);
            }

            if (!report.IsRejected)
            {
                SetBackendsReady(conditions, readiness, generation);
            }
        }

        return ConditionPrecedence.Limit(conditions.ToList());
    }

    private static void SetResolvedRefs(ConditionSet conditions, RouteTranslation translation, long generation)
    {
        var rejection = translation.Backends.Rejection;
        conditions.Set(
            GatewayConditions.ResolvedRefs,
            ConditionStatus.Of(rejection is null),
            rejection?.Reason ?? GatewayConditions.ResolvedRefs,
            rejection?.Message ?? RouteMessages.RefsResolved,
            generation
        );
    }

    // A route whose backends were always ready has no condition: it would be one more write for each route.
    private static void SetBackendsReady(ConditionSet conditions, ReadinessReport? readiness, long generation)
    {
        if (readiness is { Problem: { } problem, IsDelayed: false })
        {
            conditions.Set(GatewayConditions.BackendsReady, ConditionStatus.False, problem.Reason, problem.Message, generation);
        }
        else if (readiness is { Problem: null } && conditions.Existing(GatewayConditions.BackendsReady) is not null)
        {
            conditions.Set(
                GatewayConditions.BackendsReady,
                ConditionStatus.True,
                StatusEvent.BackendsReady,
                BackendMessages.AllReady,
                generation
            );
        }
        else
        {
            conditions.Keep(GatewayConditions.BackendsReady);
        }
    }

    private static void SetReported(
        ConditionSet conditions,
        ParentAttachment parent,
        ReportedStatus report,
        ITenantView view,
        bool areBackendsResolved,
        long generation
    )
    {
        if (report.Failure is { } rejected)
        {
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                report.FailureReason ?? GatewayConditions.UnsupportedValue,
                rejected.Message,
                report.FailureGeneration
            );
            if (!report.IsRejected)
            {
                conditions.Keep(GatewayConditions.ResolvedRefs);
            }

            return;
        }

        if (ReportedStatus.Read(view.GatewayRoute(parent.Gateway.Namespace, parent.Gateway.Name)).IsRejected)
        {
            // Envoy Gateway does not report on a parent that does not exist.
            conditions.Set(
                GatewayConditions.Accepted,
                ConditionStatus.False,
                GatewayConditions.NoReadyListeners,
                RouteMessages.GatewayRejected,
                generation
            );
            return;
        }

        var reported = Reported(parent, report, view);
        conditions.KeepOrSetPending(GatewayConditions.Accepted, generation);
        conditions.Keep(GatewayConditions.ResolvedRefs);
        foreach (var group in reported.SelectMany(p => p.Conditions).GroupBy(c => c.Type))
        {
            var condition = Merge(group.Key, [.. group]);
            if (group.Key == GatewayConditions.ResolvedRefs && areBackendsResolved && report.BackendFailure is { } failure)
            {
                conditions.Set(GatewayConditions.ResolvedRefs, ConditionStatus.False, failure.Reason, failure.Message, generation);
            }
            else if (TenantText.IsAboutPendingBackends(condition) && areBackendsResolved)
            {
                conditions.Set(
                    GatewayConditions.ResolvedRefs,
                    ConditionStatus.Unknown,
                    GatewayConditions.Pending,
                    RouteMessages.BackendsPending,
                    generation
                );
            }
            else
            {
                conditions.SetReported(condition, report, generation);
            }
        }
    }

    // One parentRef may be attached to several listeners: it is accepted if any is, resolved only if all are.
    private static Condition Merge(string type, List<Condition> conditions)
    {
        var decisive = type == GatewayConditions.Accepted ? ConditionStatus.True : ConditionStatus.False;
        return conditions.FirstOrDefault(c => c.Status == decisive) ?? conditions[0];
    }

    private static List<RouteParentStatus> Reported(ParentAttachment parent, ReportedStatus report, ITenantView view)
    {
        var name = view.GatewayRoute(parent.Gateway.Namespace, parent.Gateway.Name)?.Status?.Resources?.Route?.GeneratedName;
        return
        [
            .. (report.RouteParents?.Parents ?? []).Where(p =>
                p.ParentRef.Name == name
                && parent.AttachedRefs.Any(r => r.SectionName == p.ParentRef.SectionName && r.Port == p.ParentRef.Port)
            ),
        ];
    }
}
