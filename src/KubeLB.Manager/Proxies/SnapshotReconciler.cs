using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Services;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Xds.Snapshots;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Keeps the configuration of each tenant's proxies. Every replica does, from its own cache: losing the leader never cuts
/// configuration. The key is the tenant's namespace.
/// </summary>
internal sealed class SnapshotReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantEndpoints endpoints,
    SnapshotCache snapshots) : IReconciler
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var tenantNamespace = key.Name;
        var snapshot = SnapshotBuilder.Build(
            _routes.ByIndex(Indexes.ByNamespace, tenantNamespace),
            route => _services.ByIndex(Indexes.ByOwner, route.Metadata.Uid).Concat(OwnerlessServices.Of(route, _services)),
            endpoints.Of(tenantNamespace));
        if (snapshot.Listeners.IsEmpty)
        {
            snapshots.Remove(tenantNamespace);
        }
        else
        {
            snapshots.Set(tenantNamespace, snapshot);
        }

        return Task.FromResult(ReconcileResult.Done);
    }
}
