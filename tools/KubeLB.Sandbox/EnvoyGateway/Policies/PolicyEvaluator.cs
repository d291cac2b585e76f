using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.EnvoyGateway.Policies;

/// <summary>Judges BackendTrafficPolicies for routes in the words of Envoy Gateway. Pure.</summary>
internal static class PolicyEvaluator
{
    /// <summary>The policy that is in force for a route: the oldest one that names it; null if none does.</summary>
    public static BackendTrafficPolicy? InForce(IEnumerable<BackendTrafficPolicy> policies) =>
        policies
            .Where(p => p.Metadata.DeletionTimestamp is null)
            .OrderBy(p => p.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(p => p.Name, StringComparer.Ordinal)
            .FirstOrDefault();

    /// <summary>Why a policy cannot be used; null if it can.</summary>
    public static string? Error(BackendTrafficPolicy policy)
    {
        var backOff = policy.Spec?.Retry?.PerRetry?.BackOff;
        return
            Durations.Parse(backOff?.BaseInterval) is { } first && Durations.Parse(backOff?.MaxInterval) is { } longest && longest < first
            ? "Retry: maxInterval must be greater than or equal to baseInterval."
            : null;
    }

    /// <summary>The status of a policy: one entry per Gateway that its target is attached to.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="targets">The routes that it names, each with the verdict and the policy in force for it.</param>
    /// <param name="now">The time.</param>
    public static PolicyStatus Status(
        BackendTrafficPolicy policy,
        IEnumerable<(RouteVerdict Verdict, string Kind, BackendTrafficPolicy? InForce)> targets,
        DateTimeOffset now
    )
    {
        var ancestors = new List<PolicyAncestorStatus>();
        foreach (var (verdict, kind, inForce) in targets)
        {
            var finding = Judge(policy, verdict.Route, kind, inForce);
            foreach (var parent in verdict.Parents)
            {
                var ancestor = new ParentReference
                {
                    Group = ApiGroups.GatewayApi,
                    Kind = Gateway.KindName,
                    Namespace = parent.Parent.Namespace ?? policy.Namespace,
                    Name = parent.Parent.Name,
                    SectionName = parent.Parent.SectionName,
                };
                var before = policy.Status?.Ancestors?.Find(a =>
                    (a.AncestorRef.Namespace, a.AncestorRef.Name, a.AncestorRef.SectionName)
                    == (ancestor.Namespace, ancestor.Name, ancestor.SectionName)
                );
                ancestors.Add(
                    new PolicyAncestorStatus
                    {
                        AncestorRef = ancestor,
                        ControllerName = EnvoyGatewayHost.ControllerName,
                        Conditions = Conditions.Of([finding], before?.Conditions, policy.Metadata.Generation ?? 0, now),
                    }
                );
            }
        }

        return new PolicyStatus { Ancestors = ancestors };
    }

    private static Finding Judge(BackendTrafficPolicy policy, IGatewayRoute route, string kind, BackendTrafficPolicy? inForce)
    {
        if (inForce is not null && inForce.Name != policy.Name)
        {
            return new Finding(
                GatewayConditions.Accepted,
                false,
                "Conflicted",
                $"Unable to target {kind} {route.Metadata.NamespaceProperty}/{route.Metadata.Name}, another BackendTrafficPolicy has "
                    + "already attached to it."
            );
        }

        return Error(policy) is { } error
            ? new Finding(GatewayConditions.Accepted, false, "Invalid", error)
            : new Finding(GatewayConditions.Accepted, true, "Accepted", "Policy has been accepted.");
    }
}
