using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Ccm.Caching;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.NodePorts;

/// <summary>
/// Mirrors the EndpointSlices of a Service without selector to its node-port Service, while that exists. Writes only the mirrors; the key
/// is the Service's.
/// </summary>
internal sealed class EndpointSliceMirrorReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    Applier applier,
    ITenantView view
) : IReconciler
{
    private readonly IInformer<V1EndpointSlice> _slices = tenant.Informer<V1EndpointSlice>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var desired = Desired(key);
        foreach (var mirror in Mirrors(key).Where(m => m.Metadata.DeletionTimestamp is null && !desired.Any(d => d.Name() == m.Name())))
        {
            // The garbage collector deletes mirrors only with the node-port Service, not when the Service gets a selector or loses a slice.
            await applier.DeleteAsync(tenant, mirror, cancellationToken).ConfigureAwait(false);
        }

        foreach (var mirror in desired)
        {
            await applier.ApplyAsync(tenant, mirror, ApplyMode.Exclusive, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    private IReadOnlyList<V1EndpointSlice> Desired(ResourceKey key) =>
        view.Service(key.Namespace, key.Name) is { } service
        && service.Metadata.DeletionTimestamp is null
        && MirroredEndpointSlices.AreNeededFor(service)
        && NodePortService.Find(view, key.Namespace, key.Name) is { } nodePortService
        && nodePortService.Metadata.DeletionTimestamp is null
            ? MirroredEndpointSlices.Build(
                service,
                nodePortService,
                _slices.ByIndex(Indexes.ByService, Indexes.Key(key.Namespace, key.Name))
            )
            : [];

    private IEnumerable<V1EndpointSlice> Mirrors(ResourceKey key) =>
        NodePortServiceNames
            .Candidates(key.Name)
            .SelectMany(name => _slices.ByIndex(Indexes.ByService, Indexes.Key(key.Namespace, name)))
            .Where(slice => MirroredEndpointSlices.IsMirror(slice) && MirroredEndpointSlices.OriginOf(slice) == key.Name);
}
