using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>Keeps as many pods as a ReplicaSet asks for.</summary>
internal sealed class ReplicaSetController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier, SimulatedNode node)
    : IReconciler
{
    private const string NameCharacters = "bcdfghjklmnpqrstvwxz2456789";

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var set = cluster.Informer<V1ReplicaSet>().Get(key);
        var pods = cluster.Informer<V1Pod>();
        if (set is null || set.Metadata.DeletionTimestamp is not null)
        {
            var orphans = pods.ByIndex(NodeHost.ByNamespace, key.Namespace)
                .Where(p => p.Metadata.OwnerReferences?.Any(o => o.Kind == V1ReplicaSet.KubeKind && o.Name == key.Name) == true);
            await DeleteAsync(orphans, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        var owned = pods.ByIndex(NodeHost.ByOwner, set.Uid()).Where(p => p.Metadata.DeletionTimestamp is null).ToList();
        var wanted = set.Spec.Replicas ?? 1;
        for (var missing = wanted - owned.Count; missing > 0; missing--)
        {
            var pod = await cluster.Client<V1Pod>().CreateAsync(NewPod(set), cancellationToken).ConfigureAwait(false);
            pods.Observe(pod);
            owned.Add(pod);
        }

        var live = owned
            .OrderBy(Precedence)
            .ThenBy(p => ReadySince(p) ?? DateTime.MaxValue)
            .ThenBy(p => p.Metadata.CreationTimestamp)
            .Take(wanted)
            .ToList();
        await DeleteAsync(owned.Except(live), cancellationToken).ConfigureAwait(false);

        var least = TimeSpan.FromSeconds(set.Spec.MinReadySeconds ?? 0);
        var waits = live.Select(ReadySince).OfType<DateTime>().Select(since => since + least - DateTime.UtcNow).ToList();
        var status = new JsonObject
        {
            ["replicas"] = live.Count,
            ["fullyLabeledReplicas"] = live.Count,
            ["readyReplicas"] = waits.Count,
            ["availableReplicas"] = waits.Count(wait => least == TimeSpan.Zero || wait <= TimeSpan.Zero),
            ["observedGeneration"] = set.Metadata.Generation ?? 0,
        };
        await applier.ApplyStatusAsync(cluster, set, status, cancellationToken).ConfigureAwait(false);
        return least > TimeSpan.Zero && waits.Where(wait => wait > TimeSpan.Zero).DefaultIfEmpty().Min() is var next && next > TimeSpan.Zero
            ? ReconcileResult.RequeueAfter(next)
            : ReconcileResult.Done;
    }

    // Of two pods the one that is not ready goes, else the one that was ready later: as Kubernetes chooses.
    private static int Precedence(V1Pod pod) => EndpointSelection.IsReady(pod) ? 0 : 1;

    private static DateTime? ReadySince(V1Pod pod) =>
        EndpointSelection.IsReady(pod)
            ? pod.Status.Conditions.First(c => c.Type == "Ready").LastTransitionTime ?? pod.Metadata.CreationTimestamp
            : null;

    private async Task DeleteAsync(IEnumerable<V1Pod> pods, CancellationToken cancellationToken)
    {
        foreach (var pod in pods)
        {
            await applier.DeleteAsync(cluster, pod, cancellationToken).ConfigureAwait(false);
        }
    }

    private V1Pod NewPod(V1ReplicaSet set)
    {
        var template = set.Spec.Template;
        var pod = new V1Pod
        {
            ApiVersion = V1Pod.KubeApiVersion,
            Kind = V1Pod.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = $"{set.Name()}-{new string(Random.Shared.GetItems<char>(NameCharacters, 5))}",
                NamespaceProperty = set.Namespace(),
                Labels = template.Metadata?.Labels,
                Annotations = template.Metadata?.Annotations,
                OwnerReferences = [Ownership.By(set, $"{V1ReplicaSet.KubeGroup}/{V1ReplicaSet.KubeApiVersion}", V1ReplicaSet.KubeKind)],
            },
            Spec = template.Spec,
        };
        pod = ApiJson.Copy(pod);
        pod.Spec.NodeName = node.Name;
        return pod;
    }
}
