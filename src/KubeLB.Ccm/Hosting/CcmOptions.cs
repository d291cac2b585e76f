using k8s;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Matching;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Hosting;

/// <summary>Settings of a CCM, one per command-line flag.</summary>
public sealed record CcmOptions
{
    /// <summary>Name of the tenant, with or without the prefix <c>tenant-</c>. Required.</summary>
    public required string ClusterName { get; init; }

    /// <summary>Kubeconfig of the management cluster.</summary>
    public string KubelbKubeconfig { get; init; } = "/home/nonroot/.kube/kubelb";

    /// <summary>Kubeconfig of the tenant's cluster; empty for the pod's service account.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>ExternalIP, InternalIP or Hostname.</summary>
    public string NodeAddressType { get; init; } = "ExternalIP";

    /// <summary>Label selector, in kubectl's syntax, of the nodes that receive traffic; empty for all.</summary>
    public string NodeAddressLabelSelector { get; init; } = "";

    /// <summary>Maximum number of node addresses; 0 for no limit.</summary>
    public int MaxNodeAddressCount { get; init; }

    /// <summary>Whether Gateways, HTTPRoutes and GRPCRoutes are reconciled.</summary>
    public bool EnableGatewayApi { get; init; }

    /// <summary>Whether only Gateways of a KubeLB GatewayClass are reconciled; false for all Gateways.</summary>
    public bool UseGatewayClass { get; init; } = true;

    /// <summary>Disables the controller of Gateways.</summary>
    public bool DisableGatewayController { get; init; }

    /// <summary>Disables the controller of HTTPRoutes.</summary>
    public bool DisableHttpRouteController { get; init; }

    /// <summary>Disables the controller of GRPCRoutes.</summary>
    public bool DisableGrpcRouteController { get; init; }

    /// <summary>Whether backends in other namespaces need a ReferenceGrant; certificates always do.</summary>
    public bool EnforceReferenceGrants { get; init; }

    /// <summary>
    /// Whether Secrets labelled <c>kubelb.k8c.io/managed-by: kubelb</c> are copied to the management cluster even if no listener refers to
    /// them.
    /// </summary>
    public bool EnableSecretSynchronizer { get; init; }

    /// <summary>Drain time of an unused node-port Service after the manager no longer reports a generated Service for it.</summary>
    public TimeSpan DrainingNodePorts { get; init; } = Delays.NodePortDrain;

    /// <summary>Interval at which the CCM updates its report in annotations of Addresses.</summary>
    public TimeSpan ReportInterval { get; init; } = Delays.Report;

    /// <summary>Whether replicas elect a leader; only the leader writes.</summary>
    public bool EnableLeaderElection { get; init; } = true;

    /// <summary>
    /// Namespace of the Lease in the tenant's cluster; if empty, <c>$NAMESPACE</c>, or <c>kube-system</c> if that is not set.
    /// </summary>
    public string? LeaderElectionNamespace { get; init; }

    /// <summary>Address of <c>/metrics</c>.</summary>
    public string MetricsAddress { get; init; } = ":9445";

    /// <summary>Whether <c>/metrics</c> is served over TLS, to authorized clients only.</summary>
    public bool MetricsSecure { get; init; }

    /// <summary>Folder with the certificate of <c>/metrics</c>; empty for a self-signed one.</summary>
    public string MetricsCertPath { get; init; } = "";

    /// <summary>Address of <c>/healthz</c> and <c>/readyz</c>.</summary>
    public string HealthProbeBindAddress { get; init; } = ":8081";

    /// <summary>Lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Format of the log.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>Export of traces; null for none.</summary>
    public TracingOptions? Tracing { get; init; }

    /// <summary>Whether Secrets are watched.</summary>
    internal bool HandlesSecrets => EnableGatewayApi || EnableSecretSynchronizer;

    /// <summary>Selects the node addresses that are written to Addresses.</summary>
    /// <exception cref="FormatException"><see cref="NodeAddressLabelSelector"/> is not a valid label selector.</exception>
    internal NodeAddressSettings NodeAddresses => new(NodeAddressType, LabelSelectors.Parse(NodeAddressLabelSelector), MaxNodeAddressCount);
}

/// <summary>Connections to the two clusters of a CCM.</summary>
/// <param name="Tenant">Connects to the tenant's cluster.</param>
/// <param name="Management">Connects to the management cluster.</param>
public sealed record CcmConnections(Func<IKubernetes> Tenant, Func<IKubernetes> Management)
{
    /// <summary>Reads both kubeconfigs immediately, so that the process does not start with an invalid one.</summary>
    /// <exception cref="KubeconfigException">A kubeconfig is missing or invalid.</exception>
    public static CcmConnections FromKubeconfigs(CcmOptions options)
    {
        var userAgent = $"kubelb-ccm/{options.ClusterName}";
        var tenant = Kubeconfig.Connect(options.Kubeconfig, userAgent);
        var management = Kubeconfig.Connect(options.KubelbKubeconfig, userAgent);
        return new CcmConnections(() => tenant, () => management);
    }
}
