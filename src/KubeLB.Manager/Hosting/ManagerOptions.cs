using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Hosting;

/// <summary>Settings of a manager, one per command-line flag.</summary>
public sealed record ManagerOptions
{
    /// <summary>The manager's own namespace: Config, Lease.</summary>
    public string Namespace { get; init; } = "kubelb";

    /// <summary>Kubeconfig of the management cluster; empty for the pod's service account.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Whether Gateway API is served at all.</summary>
    public bool EnableGatewayApi { get; init; }

    /// <summary>Whether replicas elect one that writes.</summary>
    public bool EnableLeaderElection { get; init; } = true;

    /// <summary>Address of <c>/metrics</c>.</summary>
    public string MetricsAddress { get; init; } = ":9443";

    /// <summary>Address of <c>/healthz</c> and <c>/readyz</c>.</summary>
    public string HealthProbeBindAddress { get; init; } = ":8081";

    /// <summary>Lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
