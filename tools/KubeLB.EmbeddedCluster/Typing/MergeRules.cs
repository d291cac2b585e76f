using System.Collections.Frozen;
using System.Text.Json.Nodes;

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
        [("PodDisruptionBudgetStatus", "conditions")] = new("type"),
        [("MutatingWebhookConfiguration", "webhooks")] = new("name"),
        [("ValidatingWebhookConfiguration", "webhooks")] = new("name"),
    }.ToFrozenDictionary();

    public static MergeRule? For(string goType, string member) => Rules.GetValueOrDefault((goType, member));
}

/// <summary>How a strategic merge patch merges a member of a built-in type.</summary>
/// <param name="Key">The merge key of a list of objects; empty for lists of scalars that are merged as sets.</param>
/// <param name="RetainKeys">Whether <c>$retainKeys</c> is supported.</param>
internal sealed record MergeRule(string Key, bool RetainKeys = false);

/// <summary>
/// How server-side apply merges the lists, maps and structs of built-in types: the <c>listType</c>, <c>listMapKey</c>, <c>mapType</c> and
/// <c>structType</c> markers of Kubernetes' Go types, which the client models do not have. A list without a marker is merged as in a
/// strategic merge patch, or is atomic.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy</remarks>
internal static class ListTypes
{
    private static readonly FrozenDictionary<string, JsonNode> NoDefaults = FrozenDictionary<string, JsonNode>.Empty;

    private static readonly FrozenDictionary<string, JsonNode> TcpByDefault = new Dictionary<string, JsonNode>
    {
        ["protocol"] = JsonValue.Create("TCP"),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<(string Type, string Member), ListType?> Lists = new Dictionary<(string, string), ListType?>
    {
        [("ServiceSpec", "ports")] = new(["port", "protocol"], TcpByDefault),
        [("Container", "ports")] = new(["containerPort", "protocol"], TcpByDefault),
        [("EphemeralContainer", "ports")] = new(["containerPort", "protocol"], TcpByDefault),
        [("PodSpec", "topologySpreadConstraints")] = new(["topologyKey", "whenUnsatisfiable"], NoDefaults),
        [("ResourceRequirements", "claims")] = new(["name"], NoDefaults),
        [("VolumeResourceRequirements", "claims")] = new(["name"], NoDefaults),
        [("PodStatus", "resourceClaimStatuses")] = new(["name"], NoDefaults),
        [("Endpoint", "addresses")] = new([], NoDefaults),
        [("HorizontalPodAutoscalerStatus", "conditions")] = new(["type"], NoDefaults),
        [("CustomResourceDefinitionStatus", "conditions")] = new(["type"], NoDefaults),
        [("ValidatingAdmissionPolicyStatus", "conditions")] = new(["type"], NoDefaults),
        [("ValidatingAdmissionPolicySpec", "matchConditions")] = new(["name"], NoDefaults),
        [("ValidatingAdmissionPolicySpec", "variables")] = new(["name"], NoDefaults),
        [("MutatingWebhook", "matchConditions")] = new(["name"], NoDefaults),
        [("ValidatingWebhook", "matchConditions")] = new(["name"], NoDefaults),
        [("PodFailurePolicyOnExitCodesRequirement", "values")] = new([], NoDefaults),
        [("UncountedTerminatedPods", "failed")] = new([], NoDefaults),
        [("UncountedTerminatedPods", "succeeded")] = new([], NoDefaults),

        // Merged by a strategic merge patch, but atomic in server-side apply.
        [("PodStatus", "hostIPs")] = null,
    }.ToFrozenDictionary();

    private static readonly FrozenSet<string> AtomicTypes = FrozenSet.Create(
        "ConfigMapKeySelector",
        "FileKeySelector",
        "LabelSelector",
        "LocalObjectReference",
        "MatchResources",
        "NamedRuleWithOperations",
        "NodeSelector",
        "NodeSelectorTerm",
        "ObjectFieldSelector",
        "ObjectReference",
        "OwnerReference",
        "ParamKind",
        "ParamRef",
        "ResourceFieldSelector",
        "RoleRef",
        "ScopedResourceSelectorRequirement",
        "ScopeSelector",
        "SecretKeySelector",
        "SecretReference",
        "ServiceBackendPort",
        "Subject",
        "TopologySelectorTerm",
        "TypedLocalObjectReference"
    );

    private static readonly FrozenSet<(string Type, string Member)> AtomicMaps = FrozenSet.Create(
        ("ServiceSpec", "selector"),
        ("ReplicationControllerSpec", "selector"),
        ("PodSpec", "nodeSelector")
    );

    /// <summary>The list type of an associative list; null for an atomic one.</summary>
    public static ListType? For(string goType, TypeMember member)
    {
        if (Lists.TryGetValue((goType, member.Name), out var known))
        {
            return known;
        }
        return member.Merge switch
        {
            null => null,
            { Key.Length: > 0 } rule => new ListType([rule.Key], NoDefaults),
            _ => new ListType([], NoDefaults),
        };
    }

    /// <summary>Whether values of a type are atomic.</summary>
    public static bool IsAtomic(string goType) => AtomicTypes.Contains(goType);

    /// <summary>Whether a map is atomic.</summary>
    public static bool IsAtomic(string goType, string member) => AtomicMaps.Contains((goType, member));
}

/// <summary>An associative list of a built-in type.</summary>
/// <param name="Keys">The key members of an item; empty for a set of scalars.</param>
/// <param name="Defaults">Default values of absent keys.</param>
internal sealed record ListType(IReadOnlyList<string> Keys, IReadOnlyDictionary<string, JsonNode> Defaults);
