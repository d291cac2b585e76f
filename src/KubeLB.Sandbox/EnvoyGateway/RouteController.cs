using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Writes the status of routes. They are served by the Gateways that they attach to.</summary>
internal sealed class RouteController<T>([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, Applier applier, ClusterView view) : IReconciler
    where T : class, IGatewayRoute
{
    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var route = cluster.Informer<T>().Get(key);
        if (route is null || route.Metadata.DeletionTimestamp is not null)
        {
            return ReconcileResult.Done;
        }

        var status = GatewayStatusWriter.Route(view.Route(route), DateTimeOffset.UtcNow);
        if (status.Parents.Count > 0 || route.Status is { Parents.Count: > 0 })
        {
            await applier.ApplyStatusAsync(cluster, route, ResourceJson.ToNodeOfPart(status)!, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}
