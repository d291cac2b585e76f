using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>Maintains Endpoints and EndpointSlices of Services with a selector.</summary>
internal sealed class EndpointsController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier) : IReconciler
{
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var service = cluster.Informer<V1Service>().Get(key);
        var slices = cluster
            .Informer<V1EndpointSlice>()
            .ByIndex(NodeHost.ByService, key.ToString())
            .Where(s => s.Metadata.OwnerReferences?.Any(o => o.Kind == V1Service.KubeKind) == true)
            .ToList();
        if (service is null || service.Metadata.DeletionTimestamp is not null)
        {
            await DeleteAsync(slices, cancellationToken).ConfigureAwait(false);
            if (cluster.Informer<V1Endpoints>().Get(key) is { } endpoints)
            {
                await applier.DeleteAsync(cluster, endpoints, cancellationToken).ConfigureAwait(false);
            }

            return ReconcileResult.Done;
        }

        if (service.Spec?.Selector is not { Count: > 0 })
        {
            return ReconcileResult.Done;
        }

        var pods = cluster.Informer<V1Pod>().ByIndex(NodeHost.ByNamespace, key.Namespace);
        var subsets = EndpointSelection.Of(service, pods);
        await WriteAsync(EndpointSelection.Endpoints(service, subsets), cancellationToken).ConfigureAwait(false);
        var wanted = EndpointSelection.Slices(service, subsets).ToList();
        foreach (var slice in wanted)
        {
            await WriteAsync(slice, cancellationToken).ConfigureAwait(false);
        }

        await DeleteAsync(slices.Where(s => wanted.All(w => w.Name() != s.Name())), cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    // Without the applier, whose annotation kube-controller-manager does not set.
    private async Task WriteAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(desired);
        var informer = cluster.Informer<T>();
        var current = informer.Get(key);
        if (current is null)
        {
            informer.Observe(await cluster.Client<T>().CreateAsync(desired, cancellationToken).ConfigureAwait(false));
            return;
        }

        var patch = Difference(ApiJson.ToJson(current), ApiJson.ToJson(desired));
        if (patch.Count > 0)
        {
            informer.Observe(await cluster.Client<T>().MergePatchAsync(key, patch, cancellationToken).ConfigureAwait(false));
        }
    }

    private static JsonObject Difference(JsonObject current, JsonObject desired)
    {
        var patch = new JsonObject();
        foreach (var section in new[] { "subsets", "endpoints", "ports" })
        {
            if (desired[section] is { } wanted && !JsonComparison.Contains(current[section] ?? new JsonArray(), wanted))
            {
                patch[section] = wanted.DeepClone();
            }
        }

        return patch;
    }

    private async Task DeleteAsync(IEnumerable<V1EndpointSlice> slices, CancellationToken cancellationToken)
    {
        foreach (var slice in slices)
        {
            await applier.DeleteAsync(cluster, slice, cancellationToken).ConfigureAwait(false);
        }
    }
}
