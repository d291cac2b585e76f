using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

/// <summary>Rolls out Deployments: a ReplicaSet per template version; pods are replaced as the strategy allows.</summary>
internal sealed class DeploymentController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, Applier applier) : IReconciler
{
    private const string HashLabel = "pod-template-hash";

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
        var old = owned.Where(s => s.Uid() != current?.Uid()).OrderBy(s => s.Metadata.CreationTimestamp).ToList();
        var rule = RollingUpdate.Of(deployment);
        var (desired, others) = rule.Next(current is null ? default : SizeOf(current), [.. old.Select(SizeOf)]);
        if (current is null)
        {
            current = await cluster
                .Client<V1ReplicaSet>()
                .CreateAsync(NewSet(deployment, hash, desired, owned.Count + 1), cancellationToken)
                .ConfigureAwait(false);
            sets.Observe(current);
        }

        current = await ScaleAsync(current, desired, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < old.Count; i++)
        {
            old[i] = await ScaleAsync(old[i], others[i], cancellationToken).ConfigureAwait(false);
        }

        var status = Status(deployment, rule, current, old);
        await applier.ApplyStatusAsync(cluster, deployment, status, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    private static SetSize SizeOf(V1ReplicaSet set) => new(set.Spec.Replicas ?? 1, set.Status?.AvailableReplicas ?? 0);

    private async Task<V1ReplicaSet> ScaleAsync(V1ReplicaSet set, int replicas, CancellationToken cancellationToken)
    {
        if ((set.Spec.Replicas ?? 1) == replicas)
        {
            return set;
        }

        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } };
        var scaled = await cluster
            .Client<V1ReplicaSet>()
            .MergePatchAsync(ResourceKey.Of(set), patch, cancellationToken)
            .ConfigureAwait(false);
        cluster.Informer<V1ReplicaSet>().Observe(scaled);
        return scaled;
    }

    private static V1ReplicaSet NewSet(V1Deployment deployment, string hash, int replicas, int revision)
    {
        var set = ApiJson.Copy(
            new V1ReplicaSet
            {
                ApiVersion = $"{V1ReplicaSet.KubeGroup}/{V1ReplicaSet.KubeApiVersion}",
                Kind = V1ReplicaSet.KubeKind,
                Metadata = new V1ObjectMeta
                {
                    Name = $"{deployment.Name()}-{hash}",
                    NamespaceProperty = deployment.Namespace(),
                    Labels = deployment.Spec.Template.Metadata?.Labels ?? new Dictionary<string, string>(),
                    Annotations = new Dictionary<string, string> { ["deployment.kubernetes.io/revision"] = $"{revision}" },
                    OwnerReferences =
                    [
                        ControllerReferences.By(
                            deployment,
                            $"{V1Deployment.KubeGroup}/{V1Deployment.KubeApiVersion}",
                            V1Deployment.KubeKind
                        ),
                    ],
                },
                Spec = new V1ReplicaSetSpec
                {
                    Replicas = replicas,
                    MinReadySeconds = deployment.Spec.MinReadySeconds,
                    Selector = deployment.Spec.Selector,
                    Template = deployment.Spec.Template,
                },
            }
        );
        set.Metadata.Labels = With(set.Metadata.Labels, hash);
        set.Spec.Selector.MatchLabels = With(set.Spec.Selector.MatchLabels, hash);
        set.Spec.Template.Metadata ??= new V1ObjectMeta();
        set.Spec.Template.Metadata.Labels = With(set.Spec.Template.Metadata.Labels, hash);
        return set;
    }

    private static Dictionary<string, string> With(IDictionary<string, string>? labels, string hash) =>
        new(labels ?? new Dictionary<string, string>()) { [HashLabel] = hash };

    /// <summary>Hash of a template.</summary>
    internal static string TemplateHash(V1PodTemplateSpec template) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(template))))[..10];

    private static JsonObject Status(
        V1Deployment deployment,
        RollingUpdate rule,
        V1ReplicaSet current,
        IReadOnlyCollection<V1ReplicaSet> old
    )
    {
        var desired = deployment.Spec.Replicas ?? 1;
        var all = old.Append(current).ToList();
        var ready = all.Sum(s => s.Status?.ReadyReplicas ?? 0);
        var available = all.Sum(s => s.Status?.AvailableReplicas ?? 0);
        var isAvailable = rule.IsMinimumAvailable(available);
        var updated = current.Status?.Replicas ?? 0;
        var replicas = all.Sum(s => s.Status?.Replicas ?? 0);
        var complete = updated == desired && (current.Status?.AvailableReplicas ?? 0) == desired && replicas == desired;
        var status = new JsonObject
        {
            ["observedGeneration"] = deployment.Metadata.Generation ?? 0,
            ["replicas"] = replicas,
            ["updatedReplicas"] = updated,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = available,
            ["conditions"] = new JsonArray(
                Condition(
                    deployment,
                    "Available",
                    isAvailable,
                    isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                    isAvailable ? "Deployment has minimum availability." : "Deployment does not have minimum availability."
                ),
                Condition(
                    deployment,
                    "Progressing",
                    true,
                    complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                    complete
                        ? $"ReplicaSet \"{current.Name()}\" has successfully progressed."
                        : $"ReplicaSet \"{current.Name()}\" is progressing."
                )
            ),
        };
        if (Math.Max(desired, replicas) > available)
        {
            status["unavailableReplicas"] = Math.Max(desired, replicas) - available;
        }

        return status;
    }

    private static JsonObject Condition(V1Deployment deployment, string type, bool holds, string reason, string message)
    {
        var value = holds ? "True" : "False";
        var before = deployment.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
        var now = DateTime.UtcNow;
        return ApiJson.ToJson(
            new V1DeploymentCondition
            {
                Type = type,
                Status = value,
                Reason = reason,
                Message = message,
                LastTransitionTime = before?.Status == value ? before.LastTransitionTime : now,
                LastUpdateTime = before?.Status == value && before.Reason == reason ? before.LastUpdateTime : now,
            }
        );
    }
}

/// <summary>Desired and available pods of a ReplicaSet.</summary>
internal readonly record struct SetSize(int RequiredPorts, int Available);

/// <summary>
/// The next replicas of a Deployment's ReplicaSets, as in Kubernetes: limited by maxSurge and maxUnavailable; unavailable old pods are
/// scaled down first. Pure. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
/// </summary>
/// <param name="Replicas">Desired replicas.</param>
/// <param name="Surge">Resolved maxSurge.</param>
/// <param name="Unavailable">Resolved maxUnavailable.</param>
internal readonly record struct RollingUpdate(int Replicas, int Surge, int Unavailable)
{
    private const string Recreate = "Recreate";
    private const double DefaultShare = 0.25;

    /// <summary>The strategy of a Deployment.</summary>
    public static RollingUpdate Of(V1Deployment deployment)
    {
        var replicas = deployment.Spec.Replicas ?? 1;
        if (deployment.Spec.Strategy?.Type == Recreate)
        {
            return new RollingUpdate(replicas, 0, replicas);
        }

        var rolling = deployment.Spec.Strategy?.RollingUpdate;
        var surge = Number(rolling?.MaxSurge, replicas, Math.Ceiling);
        var unavailable = Number(rolling?.MaxUnavailable, replicas, Math.Floor);
        return new RollingUpdate(replicas, surge, surge + unavailable == 0 ? 1 : unavailable);
    }

    /// <summary>Whether the number of available pods is sufficient.</summary>
    public bool IsMinimumAvailable(int available) => available >= Replicas - Unavailable;

    /// <summary>Computes the next replicas.</summary>
    /// <param name="current">The ReplicaSet of the current template.</param>
    /// <param name="old">The others, oldest first.</param>
    public (int Current, IReadOnlyList<int> Old) Next(SetSize current, IReadOnlyList<SetSize> old)
    {
        var others = old.Select(o => o.RequiredPorts).ToArray();
        if (others.Sum() == 0)
        {
            return (Replicas, others);
        }

        var grown =
            current.RequiredPorts >= Replicas
                ? Replicas
                : Math.Max(current.RequiredPorts, Math.Min(Replicas, Replicas + Surge - others.Sum()));
        var least = Replicas - Unavailable;
        var removable = grown + others.Sum() - least - Math.Max(0, grown - current.Available);
        for (var i = 0; i < old.Count && removable > 0; i++)
        {
            var failing = Math.Min(removable, Math.Max(0, others[i] - old[i].Available));
            (others[i], removable) = (others[i] - failing, removable - failing);
        }

        // The status of ReplicaSets that were just scaled down is outdated.
        removable = Math.Min(removable, current.Available + old.Select((o, i) => Math.Min(o.Available, others[i])).Sum() - least);
        for (var i = 0; i < old.Count && removable > 0; i++)
        {
            var going = Math.Min(removable, others[i]);
            (others[i], removable) = (others[i] - going, removable - going);
        }

        return (grown, others);
    }

    private static int Number(IntOrString? value, int replicas, Func<double, double> round)
    {
        var text = value?.Value;
        if (string.IsNullOrEmpty(text))
        {
            return (int)round(replicas * DefaultShare);
        }

        return text.EndsWith('%')
            ? (int)round(replicas * double.Parse(text[..^1], CultureInfo.InvariantCulture) / 100)
            : int.Parse(text, CultureInfo.InvariantCulture);
    }
}
