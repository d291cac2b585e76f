using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway.Policies;

/// <summary>Writes the status of BackendTrafficPolicies. They are applied where their routes are served.</summary>
internal sealed class PolicyController([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, Applier applier, ClusterView view)
    : IReconciler
{
    /// <inheritdoc/>
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
