using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// Runs a pod of each DaemonSet on the only node; after a template change the new pod is created when the old one is deleted.
/// </summary>
internal sealed class DaemonSetController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier, SimulatedNode node)
    : IReconciler
{
    private const string GenerationLabel = "pod-template-generation";

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var pods = cluster.Informer<V1Pod>();
        if (cluster.Informer<V1DaemonSet>().Get(key) is not { Metadata.DeletionTimestamp: null } set)
        {
            foreach (var orphan in pods.ByIndex(NodeHost.ByNamespace, key.Namespace).Where(p => BelongsTo(p, key.Name)))
            {
                await applier.DeleteAsync(cluster, orphan, cancellationToken).ConfigureAwait(false);
            }

            return ReconcileResult.Done;
        }

        var hash = DeploymentController.TemplateHash(set.Spec.Template);
        var owned = pods.ByIndex(NodeHost.ByOwner, set.Uid()).ToList();
        foreach (var old in owned.Where(p => p.Metadata.DeletionTimestamp is null && p.GetLabel(GenerationLabel) != hash))
        {
            await applier.DeleteAsync(cluster, old, cancellationToken).ConfigureAwait(false);
        }

        var pod = pods.ByIndex(NodeHost.ByOwner, set.Uid()) is [var first, ..] ? first : null;
        if (pod is null)
        {
            pod = await cluster.Client<V1Pod>().CreateAsync(NewPod(set, hash), cancellationToken).ConfigureAwait(false);
            pods.Observe(pod);
        }

        var (isUpdated, isReady) = (pod.GetLabel(GenerationLabel) == hash ? 1 : 0, EndpointSelection.IsReady(pod) ? 1 : 0);
        var status = new JsonObject
        {
            ["observedGeneration"] = set.Metadata.Generation ?? 0,
            ["currentNumberScheduled"] = 1,
            ["desiredNumberScheduled"] = 1,
            ["numberMisscheduled"] = 0,
            ["updatedNumberScheduled"] = isUpdated,
            ["numberReady"] = isReady,
            ["numberAvailable"] = isReady,
        };
        await applier.ApplyStatusAsync(cluster, set, status, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    private V1Pod NewPod(V1DaemonSet set, string hash)
    {
        var template = set.Spec.Template;
        var pod = ApiJson.Copy(
            new V1Pod
            {
                ApiVersion = V1Pod.KubeApiVersion,
                Kind = V1Pod.KubeKind,
                Metadata = new V1ObjectMeta
                {
                    GenerateName = $"{set.Name()}-",
                    NamespaceProperty = set.Namespace(),
                    Labels = new Dictionary<string, string>(template.Metadata?.Labels ?? new Dictionary<string, string>())
                    {
                        [GenerationLabel] = hash,
                    },
                    Annotations = template.Metadata?.Annotations,
                    OwnerReferences =
                    [
                        ControllerReferences.By(set, $"{V1DaemonSet.KubeGroup}/{V1DaemonSet.KubeApiVersion}", V1DaemonSet.KubeKind),
                    ],
                },
                Spec = template.Spec,
            }
        );
        pod.Spec.NodeName = node.Name;
        return pod;
    }

    private static bool BelongsTo(V1Pod pod, string set) =>
        pod.Metadata.OwnerReferences?.Any(o => o.Kind == V1DaemonSet.KubeKind && o.Name == set) == true;
}
