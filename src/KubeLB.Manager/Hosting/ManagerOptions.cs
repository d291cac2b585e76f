using KubeLB.Manager.Proxies;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Hosting;

/// <summary>Settings of a manager, one per command-line flag.</summary>
public sealed record ManagerOptions
{
    /// <summary>Namespace of the manager, with its Config and leader election Lease.</summary>
    public string Namespace { get; init; } = "kubelb";

    /// <summary>Kubeconfig of the management cluster; empty for the pod's service account.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Whether Routes are reconciled and the tenants' proxies are run.</summary>
    public bool EnableGatewayApi { get; init; }

    /// <summary>Whether replicas elect a leader; only the leader writes.</summary>
    public bool EnableLeaderElection { get; init; } = true;

    /// <summary>Times of leader election; null for the runtime's defaults.</summary>
    public LeaseTimes? Lease { get; init; }

    /// <summary>First and last port that a tenant's proxies listen on. Allocations outside of this range are replaced.</summary>
    public (int First, int Last) ProxyPorts { get; init; } = (10000, 65535);

    /// <summary>Drain time of Services that a route no longer refers to, after Envoy Gateway has observed the change.</summary>
    public TimeSpan ServiceDrain { get; init; } = Delays.ServiceDrain;

    /// <summary>How long the generated objects of a deleted Route are kept for a Route of the same, recreated source object.</summary>
    public TimeSpan ReplacementTime { get; init; } = Delays.Replacement;

    /// <summary>Time after which a missing report of Envoy Gateway on a generated object is overdue.</summary>
    public TimeSpan EnvoyGatewayReport { get; init; } = Delays.EnvoyGatewayReport;

    /// <summary>Limit of a tenant's endpoint resources, in bytes.</summary>
    public long EndpointBytes { get; init; } = TenantConfiguration.MaxEndpointBytes;

    /// <summary>Maximum number of tenants whose proxies have a rollout at the same time.</summary>
    public int ConcurrentProxyRollouts { get; init; } = 3;

    /// <summary>Address of the xDS server; <c>0</c> to disable.</summary>
    public string ListenAddress { get; init; } = ":8001";

    /// <summary>Serves xDS without TLS and authentication, for proxies of the Go manager during a migration.</summary>
    public bool XdsInsecure { get; init; }

    /// <summary>Address of <c>/metrics</c>.</summary>
    public string MetricsAddress { get; init; } = ":9443";

    /// <summary>Whether <c>/metrics</c> is served over TLS, to authorized clients only.</summary>
    public bool MetricsSecure { get; init; }

    /// <summary>Folder with the certificate of <c>/metrics</c>; empty for a self-signed one.</summary>
    public string MetricsCertPath { get; init; } = "";

    /// <summary>Address of <c>/healthz</c>, <c>/readyz</c> and, for clients on the loopback interface, <c>/debug/xds</c>.</summary>
    public string HealthProbeBindAddress { get; init; } = ":8081";

    /// <summary>Lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Format of the log.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>Export of traces; null for none.</summary>
    public TracingOptions? Tracing { get; init; }
}

/// <summary>Times of leader election; see <see cref="Runtime.LeaderElection.LeaderElectionSettings"/>.</summary>
/// <param name="Duration">How long other replicas wait after a renewal before they acquire the Lease.</param>
/// <param name="RenewDeadline">How long the leader continues to write after a renewal; less than the duration.</param>
/// <param name="RetryPeriod">Time between two attempts; less than the deadline.</param>
public sealed record LeaseTimes(TimeSpan Duration, TimeSpan RenewDeadline, TimeSpan RetryPeriod);
