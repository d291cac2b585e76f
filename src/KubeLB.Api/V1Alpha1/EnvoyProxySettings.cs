using System.Text.Json;
using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>Settings of every tenant's proxies, in a Config.</summary>
public sealed class ConfigEnvoyProxy : Extensible
{
    /// <summary>
    /// <c>shared</c>, one workload per tenant. The Go manager's <c>dedicated</c> and <c>global</c> are deprecated and mean the same.
    /// </summary>
    public string? Topology { get; set; }

    /// <summary>Runs the proxies as a DaemonSet instead of a Deployment; <see cref="Replicas"/> is then ignored.</summary>
    public bool? UseDaemonset { get; set; }

    /// <summary>Number of proxy pods of a Deployment, 3 if absent.</summary>
    public int? Replicas { get; set; }

    /// <summary>At most one proxy pod of a tenant per node.</summary>
    public bool? SinglePodPerNode { get; set; }

    /// <summary>Labels of the nodes that proxies may run on.</summary>
    public Dictionary<string, string>? NodeSelector { get; set; }

    /// <summary>Taints that the proxies tolerate: a <see cref="V1Toleration"/> each. They are not validated by the CRD's schema.</summary>
    public List<JsonElement>? Tolerations { get; set; }

    /// <summary>Compute resources of a proxy pod.</summary>
    public V1ResourceRequirements? Resources { get; set; }

    /// <summary>Scheduling constraints of the proxies: a <see cref="V1Affinity"/>. It is not validated by the CRD's schema.</summary>
    public JsonElement? Affinity { get; set; }

    /// <summary>How a proxy pod drains its connections.</summary>
    public GracefulShutdown? GracefulShutdown { get; set; }

    /// <summary>Limits that prevent a proxy from being OOM-killed.</summary>
    public OverloadManager? OverloadManager { get; set; }

    /// <summary>Limits on HTTP headers.</summary>
    public HeaderLimits? HeaderLimits { get; set; }

    /// <summary>Monitoring of the proxies by Prometheus Operator.</summary>
    public PodMonitorSettings? PodMonitor { get; set; }

    /// <summary>The NetworkPolicies of the proxies. An addition of this project.</summary>
    public ProxyNetworkPolicySettings? NetworkPolicy { get; set; }

    /// <summary>Envoy's image with its tag or digest. An addition of this project.</summary>
    public string? Image { get; set; }
}

/// <summary>A tenant's own proxy settings.</summary>
public sealed class TenantEnvoyProxy : Extensible
{
    /// <summary>Number of proxy pods of a Deployment.</summary>
    public int? Replicas { get; set; }

    /// <summary>Compute resources of a proxy pod.</summary>
    public V1ResourceRequirements? Resources { get; set; }
}

/// <summary>How a proxy pod drains its connections. Durations are those of Gateway API, for example <c>1m30s</c> (GEP-2257).</summary>
public sealed class GracefulShutdown : Extensible
{
    /// <summary>Terminates proxies without draining their connections.</summary>
    public bool? Disabled { get; set; }

    /// <summary>Maximum drain time, 60 s if absent.</summary>
    public string? DrainTimeout { get; set; }

    /// <summary>Minimum drain time, in which load balancers detect the failing health check; 5 s if absent.</summary>
    public string? MinDrainDuration { get; set; }

    /// <summary>Seconds until the pod is killed, 300 if absent; must exceed <see cref="DrainTimeout"/>.</summary>
    public long? TerminationGracePeriodSeconds { get; set; }
}

/// <summary>Envoy's overload manager.</summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager</remarks>
public sealed class OverloadManager : Extensible
{
    /// <summary>Enables the limits.</summary>
    public bool? Enabled { get; set; }

    /// <summary>Maximum number of client connections of a proxy; no limit if absent.</summary>
    public long? MaxActiveDownstreamConnections { get; set; }

    /// <summary>Maximum heap size of a proxy in bytes; no limit if absent.</summary>
    public long? MaxHeapSizeBytes { get; set; }
}

/// <summary>Limits on HTTP headers. The defaults are high, because the proxy of Envoy Gateway in front applies its own limits.</summary>
public sealed class HeaderLimits : Extensible
{
    /// <summary>Maximum size of all headers of a request in KiB, 1 to 8192; 8192 if absent.</summary>
    public int? MaxRequestHeadersKb { get; set; }

    /// <summary>Maximum number of headers of a request, 4096 if absent.</summary>
    public int? MaxRequestHeadersCount { get; set; }

    /// <summary>Maximum size of all headers of a response in KiB, 1 to 8192; 8192 if absent.</summary>
    public int? MaxResponseHeadersKb { get; set; }
}

/// <summary>NetworkPolicies of the proxies.</summary>
public sealed class ProxyNetworkPolicySettings : Extensible
{
    /// <summary>Creates a NetworkPolicy per tenant that limits where its proxies connect to; false if absent.</summary>
    public bool? Enabled { get; set; }
}

/// <summary>Monitoring by Prometheus Operator.</summary>
public sealed class PodMonitorSettings : Extensible
{
    /// <summary>Creates a PodMonitor per tenant.</summary>
    public bool? Enabled { get; set; }
}
