using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// Rolls Deployments out: a ReplicaSet per version of the template; the old ones are scaled down when the new one is ready.
/// </summary>
internal sealed class DeploymentController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier) : IReconciler
{
    private const string HashLabel = "pod-template-hash";

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var deployment = cluster.Informer<V1Deployment>().Get(key);
        var sets = cluster.Informer<V1ReplicaSet>();
        if (deployment is null || deployment.Metadata.DeletionTimestamp is not null)
        {
            var orphans = sets.ByIndex(NodeHost.ByNamespace, key.Namespace)
                .Where(s => s.Metadata.OwnerReferences?.Any(o => o.Kind == V1Deployment.KubeKind && o.Name == key.Name) == true);
            foreach (var orphan in orphans)
            {
                await applier.DeleteAsync(cluster, orphan, cancellationToken).ConfigureAwait(false);
            }

            return ReconcileResult.Done;
        }

        var hash = TemplateHash(deployment.Spec.Template);
        var owned = sets.ByIndex(NodeHost.ByOwner, deployment.Uid()).ToList();
        var current = owned.FirstOrDefault(s => s.Metadata.Labels?.TryGetValue(HashLabel, out var value) == true && value == hash);
        if (current is null)
        {
            current = await cluster.Client<V1ReplicaSet>().CreateAsync(NewSet(deployment, hash, owned.Count + 1), cancellationToken).ConfigureAwait(false);
            sets.Observe(current);
        }

        var replicas = deployment.Spec.Replicas ?? 1;
        current = await ScaleAsync(current, replicas, cancellationToken).ConfigureAwait(false);
        var old = owned.Where(s => s.Uid() != current.Uid()).ToList();
        if ((current.Status?.ReadyReplicas ?? 0) >= replicas)
        {
            for (var i = 0; i < old.Count; i++)
            {
                old[i] = await ScaleAsync(old[i], 0, cancellationToken).ConfigureAwait(false);
            }
        }

        var status = Status(deployment, current, old);
        await applier.ApplyStatusAsync(cluster, deployment, status, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    private async Task<V1ReplicaSet> ScaleAsync(V1ReplicaSet set, int replicas, CancellationToken cancellationToken)
    {
        if ((set.Spec.Replicas ?? 1) == replicas)
        {
            return set;
        }

        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } };
        var scaled = await cluster.Client<V1ReplicaSet>().MergePatchAsync(ResourceKey.Of(set), patch, cancellationToken).ConfigureAwait(false);
        cluster.Informer<V1ReplicaSet>().Observe(scaled);
        return scaled;
    }

    private static V1ReplicaSet NewSet(V1Deployment deployment, string hash, int revision)
    {
        var set = ResourceJson.Copy(new V1ReplicaSet
        {
            ApiVersion = $"{V1ReplicaSet.KubeGroup}/{V1ReplicaSet.KubeApiVersion}",
            Kind = V1ReplicaSet.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = $"{deployment.Name()}-{hash}",
                NamespaceProperty = deployment.Namespace(),
                Labels = deployment.Spec.Template.Metadata?.Labels ?? new Dictionary<string, string>(),
                Annotations = new Dictionary<string, string> { ["deployment.kubernetes.io/revision"] = $"{revision}" },
                OwnerReferences = [Ownership.By(deployment, $"{V1Deployment.KubeGroup}/{V1Deployment.KubeApiVersion}", V1Deployment.KubeKind)],
            },
            Spec = new V1ReplicaSetSpec
            {
                Replicas = deployment.Spec.Replicas ?? 1,
                Selector = deployment.Spec.Selector,
                Template = deployment.Spec.Template,
            },
        });
        set.Metadata.Labels = With(set.Metadata.Labels, hash);
        set.Spec.Selector.MatchLabels = With(set.Spec.Selector.MatchLabels, hash);
        set.Spec.Template.Metadata ??= new V1ObjectMeta();
        set.Spec.Template.Metadata.Labels = With(set.Spec.Template.Metadata.Labels, hash);
        return set;
    }

    private static Dictionary<string, string> With(IDictionary<string, string>? labels, string hash) =>
        new(labels ?? new Dictionary<string, string>()) { [HashLabel] = hash };

    /// <summary>The same for the same template.</summary>
    internal static string TemplateHash(V1PodTemplateSpec template) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(template))))[..10];

    private static JsonObject Status(V1Deployment deployment, V1ReplicaSet current, IReadOnlyCollection<V1ReplicaSet> old)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var all = old.Append(current).ToList();
        var ready = all.Sum(s => s.Status?.ReadyReplicas ?? 0);
        var updated = current.Status?.Replicas ?? 0;
        var replicas = all.Sum(s => s.Status?.Replicas ?? 0);
        var complete = updated == wanted && (current.Status?.ReadyReplicas ?? 0) == wanted && replicas == wanted;
        var status = new JsonObject
        {
            ["observedGeneration"] = deployment.Metadata.Generation ?? 0,
            ["replicas"] = replicas,
            ["updatedReplicas"] = updated,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = ready,
            ["conditions"] = new JsonArray(
                Condition(deployment, "Available", ready >= wanted, ready >= wanted ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                    ready >= wanted ? "Deployment has minimum availability." : "Deployment does not have minimum availability."),
                Condition(deployment, "Progressing", true, complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                    complete ? $"ReplicaSet \"{current.Name()}\" has successfully progressed." : $"ReplicaSet \"{current.Name()}\" is progressing.")),
        };
        if (wanted > ready)
        {
            status["unavailableReplicas"] = wanted - ready;
        }

        return status;
    }

    private static JsonNode Condition(V1Deployment deployment, string type, bool holds, string reason, string message)
    {
        var value = holds ? "True" : "False";
        var before = deployment.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
        var now = DateTime.UtcNow;
        return ResourceJson.ToNodeOfPart(new V1DeploymentCondition
        {
            Type = type,
            Status = value,
            Reason = reason,
            Message = message,
            LastTransitionTime = before?.Status == value ? before.LastTransitionTime : now,
            LastUpdateTime = before?.Status == value && before.Reason == reason ? before.LastUpdateTime : now,
        })!;
    }
}
