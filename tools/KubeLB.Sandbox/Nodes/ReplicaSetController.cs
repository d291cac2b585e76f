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

/// <summary>Creates and deletes pods to match the replicas of a ReplicaSet.</summary>
internal sealed class ReplicaSetController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier, SimulatedNode node)
    : IReconciler
{
    private const string NameCharacters = "bcdfghjklmnpqrstvwxz2456789";

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
        var desired = set.Spec.Replicas ?? 1;
        for (var missing = desired - owned.Count; missing > 0; missing--)
        {
            var pod = await cluster.Client<V1Pod>().CreateAsync(NewPod(set), cancellationToken).ConfigureAwait(false);
            pods.Observe(pod);
            owned.Add(pod);
        }

        var live = owned
            .OrderBy(Precedence)
            .ThenBy(p => ReadySince(p) ?? DateTime.MaxValue)
            .ThenBy(p => p.Metadata.CreationTimestamp)
            .Take(desired)
            .ToList();
        await DeleteAsync(owned.Except(live), cancellationToken).ConfigureAwait(false);

        var minimum = TimeSpan.FromSeconds(set.Spec.MinReadySeconds ?? 0);
        var waits = live.Select(ReadySince).OfType<DateTime>().Select(since => since + minimum - DateTime.UtcNow).ToList();
        var status = new JsonObject
        {
            ["replicas"] = live.Count,
            ["fullyLabeledReplicas"] = live.Count,
            ["readyReplicas"] = waits.Count,
            ["availableReplicas"] = waits.Count(wait => minimum == TimeSpan.Zero || wait <= TimeSpan.Zero),
            ["observedGeneration"] = set.Metadata.Generation ?? 0,
        };
        await applier.ApplyStatusAsync(cluster, set, status, cancellationToken).ConfigureAwait(false);
        return
            minimum > TimeSpan.Zero && waits.Where(wait => wait > TimeSpan.Zero).DefaultIfEmpty().Min() is var next && next > TimeSpan.Zero
            ? ReconcileResult.RequeueAfter(next)
            : ReconcileResult.Done;
    }

    // Unready pods are deleted first, then those that became ready last, as in Kubernetes.
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
                OwnerReferences =
                [
                    ControllerReferences.By(set, $"{V1ReplicaSet.KubeGroup}/{V1ReplicaSet.KubeApiVersion}", V1ReplicaSet.KubeKind),
                ],
            },
            Spec = template.Spec,
        };
        pod = ApiJson.Copy(pod);
        pod.Spec.NodeName = node.Name;
        return pod;
    }
}

/// <summary>Owner references of simulated controllers.</summary>
internal static class ControllerReferences
{
    /// <summary>A reference to the controlling owner.</summary>
    public static V1OwnerReference By(IKubernetesObject<V1ObjectMeta> owner, string apiVersion, string kind) =>
        new()
        {
            ApiVersion = apiVersion,
            Kind = kind,
            Name = owner.Metadata.Name,
            Uid = owner.Metadata.Uid,
            Controller = true,
            BlockOwnerDeletion = true,
        };
}
