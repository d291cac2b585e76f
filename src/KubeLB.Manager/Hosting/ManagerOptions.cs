using KubeLB.Manager.Proxies;
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

    /// <summary>How long other replicas wait for a leader that does not renew its Lease; null for the runtime's default.</summary>
    public LeaseTimes? Lease { get; init; }

    /// <summary>First and last port that a tenant's proxy listens on for Services. Allocations outside of it are made anew.</summary>
    public (int First, int Last) ProxyPorts { get; init; } = (10000, 65535);

    /// <summary>How long the Services that a route no longer leads to stay after Envoy Gateway has seen the change.</summary>
    public TimeSpan ServiceDrain { get; init; } = Delays.ServiceDrain;

    /// <summary>
    /// How long what was generated from a Route that is deleted waits for a Route of the same object of the tenant, which was deleted and
    /// created again.
    /// </summary>
    public TimeSpan ReplacementTime { get; init; } = Delays.Replacement;

    /// <summary>Limit of the endpoints of a tenant, in bytes.</summary>
    public long EndpointBytes { get; init; } = TenantConfiguration.MostEndpointBytes;

    /// <summary>How many tenants' proxies may have a rollout at the same time; the others wait.</summary>
    public int ConcurrentProxyRollouts { get; init; } = 3;

    /// <summary>Address of the xDS server; <c>0</c> switches it off.</summary>
    public string ListenAddress { get; init; } = ":8001";

    /// <summary>Serves xDS in plain text and to everybody: for proxies of the Go manager during a migration.</summary>
    public bool XdsInsecure { get; init; }

    /// <summary>Address of <c>/metrics</c>.</summary>
    public string MetricsAddress { get; init; } = ":9443";

    /// <summary>Address of <c>/healthz</c>, <c>/readyz</c> and, for clients on the loopback interface, <c>/debug/xds</c>.</summary>
    public string HealthProbeBindAddress { get; init; } = ":8081";

    /// <summary>Lowest level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}

/// <summary>Times of leader election; see <see cref="Runtime.LeaderElection.LeaderElectionSettings"/>.</summary>
/// <param name="Duration">How long others wait after a renewal.</param>
/// <param name="RenewDeadline">How long the leader works on after a renewal; less than the duration.</param>
/// <param name="RetryPeriod">Time between two attempts; less than the deadline.</param>
public sealed record LeaseTimes(TimeSpan Duration, TimeSpan RenewDeadline, TimeSpan RetryPeriod);
