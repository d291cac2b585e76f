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

    /// <summary>Label selector, in kubectl's syntax, of the nodes that may get traffic; empty for all.</summary>
    public string NodeAddressLabelSelector { get; init; } = "";

    /// <summary>At most this many node addresses; 0 for no limit.</summary>
    public int MaxNodeAddressCount { get; init; }

    /// <summary>Whether Gateway API is served at all.</summary>
    public bool EnableGatewayApi { get; init; }

    /// <summary>Whether a Gateway is ours by its class only.</summary>
    public bool UseGatewayClass { get; init; } = true;

    /// <summary>Leaves Gateways alone.</summary>
    public bool DisableGatewayController { get; init; }

    /// <summary>Leaves HTTPRoutes alone.</summary>
    public bool DisableHttpRouteController { get; init; }

    /// <summary>Leaves GRPCRoutes alone.</summary>
    public bool DisableGrpcRouteController { get; init; }

    /// <summary>Whether backends of other namespaces need a ReferenceGrant; certificates always do.</summary>
    public bool EnforceReferenceGrants { get; init; }

    /// <summary>Whether Secrets labelled <c>kubelb.k8c.io/managed-by: kubelb</c> are carried, whoever refers to them.</summary>
    public bool EnableSecretSynchronizer { get; init; }

    /// <summary>How long the node ports of a Service stay open after the last route has left it, for who is still sending there.</summary>
    public TimeSpan DrainingNodePorts { get; init; } = Delays.NodePortDrain;

    /// <summary>How often the CCM reports in annotations of Addresses that it runs.</summary>
    public TimeSpan ReportInterval { get; init; } = Delays.Report;

    /// <summary>Whether replicas elect one that writes.</summary>
    public bool EnableLeaderElection { get; init; } = true;

    /// <summary>Namespace of the Lease in the tenant's cluster; the pod's if empty.</summary>
    public string? LeaderElectionNamespace { get; init; }

    /// <summary>Address of <c>/metrics</c>.</summary>
    public string MetricsAddress { get; init; } = ":9445";

    /// <summary>Address of <c>/healthz</c> and <c>/readyz</c>.</summary>
    public string HealthProbeBindAddress { get; init; } = ":8081";

    /// <summary>Lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Which nodes' addresses are carried.</summary>
    /// <exception cref="FormatException"><see cref="NodeAddressLabelSelector"/> is no label selector.</exception>
    internal NodeAddressSettings NodeAddresses =>
        new(NodeAddressType, LabelSelectors.Parse(NodeAddressLabelSelector), MaxNodeAddressCount);
}
