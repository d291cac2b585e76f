using k8s.Models;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Nodes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Nodes;

/// <summary>Writes the Addresses object <c>default</c> of the tenant from its Nodes. There is one key for all of them.</summary>
internal sealed class NodeAddressesReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    Applier applier,
    TenantSettings settings,
    CcmOptions options) : IReconciler
{
    private readonly IInformer<V1Node> _nodes = tenant.Informer<V1Node>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var desired = NodeAddresses.Translate(_nodes.List(), options.NodeAddressType, settings.TenantNamespace);
        await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }
}
