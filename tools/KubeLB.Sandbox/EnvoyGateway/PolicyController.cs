using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Writes the status of BackendTrafficPolicies. They are applied with their routes.</summary>
internal sealed class PolicyController([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, Applier applier, ClusterView view)
    : IReconciler
{
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var policy = cluster.Informer<BackendTrafficPolicy>().Get(key);
        if (policy is null || policy.Metadata.DeletionTimestamp is not null)
        {
            return ReconcileResult.Done;
        }

        var status = PolicyEvaluator.Status(policy, view.TargetsOf(policy), DateTimeOffset.UtcNow);
        if (status.Ancestors!.Count > 0 || policy.Status is { Ancestors.Count: > 0 })
        {
            await applier.ApplyStatusAsync(cluster, policy, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}

/// <summary>Evaluates BackendTrafficPolicies for routes, with Envoy Gateway's messages. Pure.</summary>
internal static class PolicyEvaluator
{
    /// <summary>The effective policy of a route: the oldest one that targets it; null if there is none.</summary>
    public static BackendTrafficPolicy? Effective(IEnumerable<BackendTrafficPolicy> policies) =>
        policies
            .Where(p => p.Metadata.DeletionTimestamp is null)
            .OrderBy(p => p.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(p => p.Name, StringComparer.Ordinal)
            .FirstOrDefault();

    /// <summary>Validates a policy; null if it is valid.</summary>
    public static string? Error(BackendTrafficPolicy policy)
    {
        var backOff = policy.Spec?.Retry?.PerRetry?.BackOff;
        return
            Durations.Parse(backOff?.BaseInterval) is { } first && Durations.Parse(backOff?.MaxInterval) is { } longest && longest < first
            ? "Retry: maxInterval must be greater than or equal to baseInterval."
            : null;
    }

    /// <summary>The status of a policy: one ancestor per Gateway that its target is attached to.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="targets">The targeted routes with their evaluations and effective policies.</param>
    /// <param name="now">The time.</param>
    public static PolicyStatus Status(
        BackendTrafficPolicy policy,
        IEnumerable<(RouteEvaluation Evaluation, string Kind, BackendTrafficPolicy? Effective)> targets,
        DateTimeOffset now
    )
    {
        var ancestors = new List<PolicyAncestorStatus>();
        foreach (var (evaluation, kind, effective) in targets)
        {
            var finding = EvaluateTarget(policy, evaluation.Route, kind, effective);
            foreach (var parent in evaluation.Parents)
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

    private static Finding EvaluateTarget(BackendTrafficPolicy policy, IGatewayRoute route, string kind, BackendTrafficPolicy? effective)
    {
        if (effective is not null && effective.Name != policy.Name)
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

/// <summary>
/// Supported targets of BackendTrafficPolicies: whole HTTPRoutes and GRPCRoutes of their namespace. Policies for Gateways, listeners and
/// rules are not applied.
/// </summary>
internal static class PolicyTargets
{
    /// <summary>The routes that a policy targets, as keys of <see cref="KeyOf(string, string, string)"/>.</summary>
    public static IEnumerable<string> Of(BackendTrafficPolicy policy) =>
        Routes(policy).Select(t => KeyOf(t.Kind, policy.Namespace, t.Name));

    /// <summary>The target references to routes.</summary>
    public static IEnumerable<PolicyTargetReference> Routes(BackendTrafficPolicy policy) =>
        (policy.Spec?.TargetRefs ?? []).Where(t =>
            t.Group == ApiGroups.GatewayApi && t.Kind is HttpRoute.KindName or GrpcRoute.KindName && t.SectionName is null
        );

    /// <summary>Key of a route.</summary>
    public static string KeyOf(string kind, string ns, string name) => $"{kind}/{ns}/{name}";

    /// <summary>Key of a route.</summary>
    public static string KeyOf(IGatewayRoute route) =>
        KeyOf(route is GrpcRoute ? GrpcRoute.KindName : HttpRoute.KindName, route.Metadata.NamespaceProperty ?? "", route.Metadata.Name);
}
