using System.Collections.Frozen;

namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>
/// The protobuf field numbers of the kinds that kubectl sends in protobuf: objects that it generates (<c>kubectl create deployment</c>,
/// <c>create token</c>, <c>auth can-i</c>), not those from files. Each line is a type; it continues after a comma at its end. A field is
/// <c>number name form</c>, with <c>*</c> for lists and <c>%</c> for maps from string.
/// </summary>
internal static class ProtobufTypes
{
    private const string Table = """
        ObjectMeta: 1 name s, 2 generateName s, 3 namespace s, 4 selfLink s, 5 uid s, 6 resourceVersion s, 7 generation i,
          8 creationTimestamp t, 9 deletionTimestamp t, 10 deletionGracePeriodSeconds i, 11 labels %s, 12 annotations %s,
          13 ownerReferences *OwnerReference, 14 finalizers *s
        OwnerReference: 1 kind s, 3 name s, 4 uid s, 5 apiVersion s, 6 controller b, 7 blockOwnerDeletion b
        DeleteOptions: 1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun *s
        Preconditions: 1 uid s, 2 resourceVersion s
        LabelSelector: 1 matchLabels %s, 2 matchExpressions *LabelSelectorRequirement
        LabelSelectorRequirement: 1 key s, 2 operator s, 3 values *s
        Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus
        NamespaceSpec: 1 finalizers *s
        NamespaceStatus: 1 phase s
        ConfigMap: 1 metadata ObjectMeta, 2 data %s, 3 binaryData %y, 4 immutable b
        Secret: 1 metadata ObjectMeta, 2 data %y, 3 type s, 4 stringData %s, 5 immutable b
        ServiceAccount: 1 metadata ObjectMeta, 2 secrets *ObjectReference, 3 imagePullSecrets *LocalObjectReference,
          4 automountServiceAccountToken b
        ObjectReference: 1 kind s, 2 namespace s, 3 name s, 4 uid s, 5 apiVersion s, 6 resourceVersion s, 7 fieldPath s
        LocalObjectReference: 1 name s
        Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status Ignored
        ServiceSpec: 1 ports *ServicePort, 2 selector %s, 3 clusterIP s, 4 type s, 5 externalIPs *s, 7 sessionAffinity s,
          8 loadBalancerIP s, 9 loadBalancerSourceRanges *s, 10 externalName s, 11 externalTrafficPolicy s, 12 healthCheckNodePort i,
          13 publishNotReadyAddresses b, 17 ipFamilyPolicy s, 18 clusterIPs *s, 19 ipFamilies *s, 20 allocateLoadBalancerNodePorts b,
          21 loadBalancerClass s, 22 internalTrafficPolicy s
        ServicePort: 1 name s, 2 protocol s, 3 port i, 4 targetPort x, 5 nodePort i, 6 appProtocol s
        Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status Ignored
        DeploymentSpec: 1 replicas i, 2 selector LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy,
          5 minReadySeconds i, 6 revisionHistoryLimit i, 7 paused b, 9 progressDeadlineSeconds i
        DeploymentStrategy: 1 type s, 2 rollingUpdate RollingUpdate
        RollingUpdate: 1 maxUnavailable x, 2 maxSurge x
        Pod: 1 metadata ObjectMeta, 2 spec PodSpec, 3 status Ignored
        PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
        PodSpec: 2 containers *Container, 3 restartPolicy s, 4 terminationGracePeriodSeconds i, 5 activeDeadlineSeconds i, 6 dnsPolicy s,
          7 nodeSelector %s, 8 serviceAccountName s, 9 serviceAccount s, 10 nodeName s, 11 hostNetwork b, 12 hostPID b, 13 hostIPC b,
          15 imagePullSecrets *LocalObjectReference, 16 hostname s, 17 subdomain s, 19 schedulerName s, 20 initContainers *Container,
          21 automountServiceAccountToken b, 24 priorityClassName s
        Container: 1 name s, 2 image s, 3 command *s, 4 args *s, 5 workingDir s, 6 ports *ContainerPort, 7 env *EnvVar,
          8 resources ResourceRequirements, 13 terminationMessagePath s, 14 imagePullPolicy s, 16 stdin b, 17 stdinOnce b, 18 tty b,
          20 terminationMessagePolicy s
        ContainerPort: 1 name s, 2 hostPort i, 3 containerPort i, 4 protocol s, 5 hostIP s
        EnvVar: 1 name s, 2 value s
        ResourceRequirements: 1 limits %q, 2 requests %q
        Role: 1 metadata ObjectMeta, 2 rules *PolicyRule
        ClusterRole: 1 metadata ObjectMeta, 2 rules *PolicyRule, 3 aggregationRule AggregationRule
        AggregationRule: 1 clusterRoleSelectors *LabelSelector
        PolicyRule: 1 verbs *s, 2 apiGroups *s, 3 resources *s, 4 resourceNames *s, 5 nonResourceURLs *s
        RoleBinding: 1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef
        ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef
        Subject: 1 kind s, 2 apiGroup s, 3 name s, 4 namespace s
        RoleRef: 1 apiGroup s, 2 kind s, 3 name s
        SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec AccessReviewSpec, 3 status Ignored
        AccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
        ResourceAttributes: 1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s
        NonResourceAttributes: 1 path s, 2 verb s
        SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec RulesReviewSpec, 3 status Ignored
        RulesReviewSpec: 1 namespace s
        SelfSubjectReview: 1 metadata ObjectMeta, 2 status Ignored
        TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status Ignored
        TokenRequestSpec: 1 audiences *s, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds i
        BoundObjectReference: 1 kind s, 2 apiVersion s, 3 name s, 4 uid s
        PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec, 3 status Ignored
        PodDisruptionBudgetSpec: 1 minAvailable x, 2 selector LabelSelector, 3 maxUnavailable x
        """;

    private static readonly Lazy<FrozenDictionary<string, FrozenDictionary<int, ProtobufMember>>> Types = new(Read);

    /// <summary>The fields of a type; null for an unknown type.</summary>
    public static FrozenDictionary<int, ProtobufMember>? Find(string type) => Types.Value.GetValueOrDefault(type);

    private static FrozenDictionary<string, FrozenDictionary<int, ProtobufMember>> Read()
    {
        var types = new Dictionary<string, FrozenDictionary<int, ProtobufMember>>(StringComparer.Ordinal);
        var table = Table.Replace(",\n", ", ", StringComparison.Ordinal);
        foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            types[line[..colon]] = line[(colon + 1)..]
                .Split(',', StringSplitOptions.TrimEntries)
                .Select(member => member.Split(' '))
                .ToFrozenDictionary(parts => int.Parse(parts[0]), parts => Member(parts[1], parts[2]));
        }
        return types.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static ProtobufMember Member(string name, string form)
    {
        var plain = form.TrimStart('*', '%');
        var kind = plain switch
        {
            "s" => ProtobufForm.Text,
            "i" => ProtobufForm.Integer,
            "b" => ProtobufForm.Boolean,
            "y" => ProtobufForm.Bytes,
            "t" => ProtobufForm.Time,
            "q" => ProtobufForm.Quantity,
            "x" => ProtobufForm.IntOrString,
            _ => ProtobufForm.Message,
        };
        return new ProtobufMember(name, kind, plain, form[0] == '*', form[0] == '%');
    }
}

/// <summary>A field of a message: JSON name, encoding, and type name of messages.</summary>
internal sealed record ProtobufMember(string Name, ProtobufForm Form, string Type, bool Repeated, bool Map);

/// <summary>The encoding of a field.</summary>
internal enum ProtobufForm
{
    Text,
    Integer,
    Boolean,
    Bytes,
    Time,
    Quantity,
    IntOrString,
    Message,
}
