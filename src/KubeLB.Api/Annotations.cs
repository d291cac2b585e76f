namespace KubeLB.Api;

/// <summary>Annotations that KubeLB reads or writes.</summary>
public static class Annotations
{
    /// <summary>On a Route: <c>metadata.generation</c> of the tenant's object that the Route's spec was built from.</summary>
    public const string SourceGeneration = "kubelb.k8c.io/source-generation";

    /// <summary>
    /// On a SyncSecret: the full name of the tenant's object, if it is too long for the label <see cref="Labels.OriginName"/>.
    /// </summary>
    public const string OriginName = "kubelb.k8c.io/origin-name";

    /// <summary>
    /// On a Route, by a CCM with tracing: the W3C trace context of the change that the Route was written for. Only part of a write that
    /// has another reason.
    /// </summary>
    public const string TraceParent = "kubelb.k8c.io/traceparent";

    /// <summary>The fields that the applier last wrote to a generated object, as opposed to those of other writers.</summary>
    public const string Applied = "kubelb.k8c.io/applied";

    /// <summary>On a generated Service: the tenant's node ports behind its ports, <c>80/TCP=30080,443/TCP=30443</c>.</summary>
    public const string NodePorts = "kubelb.k8c.io/node-ports";

    /// <summary>On Addresses, by the CCM: UID of namespace <c>kube-system</c> of the cluster that the tenant is bound to.</summary>
    public const string ClusterUid = "kubelb.k8c.io/cluster-uid";

    /// <summary>On Addresses, by a CCM of a cluster that the tenant is not bound to: a <see cref="V1Alpha1.RejectedCluster"/>.</summary>
    public const string RejectedCluster = "kubelb.k8c.io/rejected-cluster";

    /// <summary>On Addresses, by the CCM: when it last reported, RFC 3339 in UTC.</summary>
    public const string LastSeen = "kubelb.k8c.io/last-seen";

    /// <summary>On Addresses, by the CCM: its version.</summary>
    public const string CcmVersion = "kubelb.k8c.io/ccm-version";

    /// <summary>On Addresses, by the CCM: name of the Secret of the token that it uses, from the claims of the token.</summary>
    public const string CcmToken = "kubelb.k8c.io/ccm-token";

    /// <summary>On a Tenant, by the administrator: each new value rotates the token of the tenant's CCM.</summary>
    public const string RotateToken = "kubelb.k8c.io/rotate-token";

    /// <summary>
    /// On a Tenant, by the manager: the minor version whose defaults the tenant has, for example <c>0.1</c>. Administrators may change it.
    /// </summary>
    public const string Defaults = "kubelb.k8c.io/defaults";

    /// <summary>On a tenant's ServiceAccount, by the manager: the last handled value of <see cref="RotateToken"/>.</summary>
    public const string RotatedFor = "kubelb.k8c.io/rotated-for";

    /// <summary>On a tenant's ServiceAccount, by the manager: name of the Secret with the token in the kubeconfig.</summary>
    public const string TokenSecret = "kubelb.k8c.io/token-secret";

    /// <summary>kubectl's record of the last <c>apply</c>; never synced.</summary>
    public const string KubectlLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
}

/// <summary>Finalizers that KubeLB sets.</summary>
public static class Finalizers
{
    /// <summary>On Routes, Tenants and SyncSecrets: the objects generated from them are deleted first.</summary>
    public const string Cleanup = "kubelb.k8c.io/cleanup";
}
