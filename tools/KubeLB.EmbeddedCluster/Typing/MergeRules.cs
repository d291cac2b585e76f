using System.Collections.Frozen;

namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>The <c>patchMergeKey</c> and <c>patchStrategy</c> tags of Kubernetes' Go types, which the client models do not have.</summary>
internal static class MergeRules
{
    private static readonly FrozenDictionary<(string Type, string Member), MergeRule> Rules = new Dictionary<(string, string), MergeRule>
    {
        [("ObjectMeta", "ownerReferences")] = new("uid"),
        [("ObjectMeta", "finalizers")] = new(""),
        [("ServiceSpec", "ports")] = new("port"),
        [("ServiceStatus", "conditions")] = new("type"),
        [("PodSpec", "volumes")] = new("name", RetainKeys: true),
        [("PodSpec", "initContainers")] = new("name"),
        [("PodSpec", "containers")] = new("name"),
        [("PodSpec", "ephemeralContainers")] = new("name"),
        [("PodSpec", "imagePullSecrets")] = new("name"),
        [("PodSpec", "hostAliases")] = new("ip"),
        [("PodSpec", "topologySpreadConstraints")] = new("topologyKey"),
        [("PodSpec", "schedulingGates")] = new("name"),
        [("PodSpec", "resourceClaims")] = new("name", RetainKeys: true),
        [("Container", "ports")] = new("containerPort"),
        [("Container", "env")] = new("name"),
        [("Container", "volumeMounts")] = new("mountPath"),
        [("Container", "volumeDevices")] = new("devicePath"),
        [("EphemeralContainer", "ports")] = new("containerPort"),
        [("EphemeralContainer", "env")] = new("name"),
        [("EphemeralContainer", "volumeMounts")] = new("mountPath"),
        [("EphemeralContainer", "volumeDevices")] = new("devicePath"),
        [("PodStatus", "conditions")] = new("type"),
        [("PodStatus", "podIPs")] = new("ip"),
        [("NodeSpec", "podCIDRs")] = new(""),
        [("NodeStatus", "addresses")] = new("type"),
        [("NodeStatus", "conditions")] = new("type"),
        [("NamespaceStatus", "conditions")] = new("type"),
        [("ServiceAccount", "secrets")] = new("name"),
        [("DeploymentSpec", "strategy")] = new("", RetainKeys: true),
        [("DeploymentStatus", "conditions")] = new("type"),
        [("ReplicaSetStatus", "conditions")] = new("type"),
        [("ReplicationControllerStatus", "conditions")] = new("type"),
        [("DaemonSetStatus", "conditions")] = new("type"),
        [("StatefulSetStatus", "conditions")] = new("type"),
        [("PodDisruptionBudgetStatus", "conditions")] = new("type"),
        [("PersistentVolumeClaimStatus", "conditions")] = new("type"),
        [("JobStatus", "conditions")] = new("type"),
        [("MutatingWebhookConfiguration", "webhooks")] = new("name"),
        [("ValidatingWebhookConfiguration", "webhooks")] = new("name"),
    }.ToFrozenDictionary();

    public static MergeRule? For(string goType, string member) => Rules.GetValueOrDefault((goType, member));
}
