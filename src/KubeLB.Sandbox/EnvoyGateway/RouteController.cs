using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Writes the status of routes. They are served by the Gateways that they attach to.</summary>
internal sealed class RouteController<T>(
    [FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster,
    Applier applier,
    ClusterView view,
    ServedRoutes served,
    TimeProvider time
) : IReconciler
    where T : class, IGatewayRoute
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    // A Gateway whose ports cannot be opened serves nothing.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly DelayTracker _delays = new(time);

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var route = cluster.Informer<T>().Get(key);
        if (route is null || route.Metadata.DeletionTimestamp is not null)
        {
            _delays.End(key);
            return ReconcileResult.Done;
        }

        // Served first, told then, as with Gateways: who reads the status removes the old backend.
        var verdict = view.Route(route);
        if (!served.Has(verdict) && _delays.Left(key, $"{route.Metadata.Uid}/{route.Metadata.Generation}", Longest) is not null)
        {
            return ReconcileResult.RequeueAfter(Look);
        }

        var status = GatewayStatusWriter.Route(verdict, DateTimeOffset.UtcNow);
        if (status.Parents.Count > 0 || route.Status is { Parents.Count: > 0 })
        {
            await applier.ApplyStatusAsync(cluster, route, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}
