using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Proxies;

/// <summary>The effective settings of a tenant's proxies: the Tenant's over the Config's over the defaults.</summary>
public sealed record ProxySettings
{
    /// <summary>
    /// Envoy's image unless the Config sets another: the variant with a shell, which the drain script needs.
    /// </summary>
    public const string DefaultImage = "docker.io/envoyproxy/envoy:v1.36.4";

    /// <summary>Number of proxy pods unless the settings set another.</summary>
    public const int DefaultReplicas = 3;

    /// <summary>The defaults.</summary>
    public static ProxySettings Default { get; } = new();

    /// <summary>Envoy's image.</summary>
    public string Image { get; init; } = DefaultImage;

    /// <summary>Whether the proxies run as a DaemonSet instead of a Deployment.</summary>
    public bool IsDaemonSet { get; init; }

    /// <summary>Number of proxy pods of a Deployment.</summary>
    public int Replicas { get; init; } = DefaultReplicas;

    /// <summary>Whether each node runs at most one proxy pod of the tenant.</summary>
    public bool IsOnePerNode { get; init; }

    /// <summary>Labels of the nodes that the proxies may run on.</summary>
    public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Taints that the proxies tolerate.</summary>
    public IReadOnlyList<V1Toleration> Tolerations { get; init; } = [];

    /// <summary>Scheduling constraints.</summary>
    public V1Affinity? Affinity { get; init; }

    /// <summary>Compute resources; null for the default, a small request.</summary>
    public V1ResourceRequirements? Resources { get; init; }

    /// <summary>How connections are drained; null if they are not.</summary>
    public ProxyDrain? Drain { get; init; } = ProxyDrain.Default;

    /// <summary>Seconds until a terminating pod is killed.</summary>
    public long TerminationGracePeriodSeconds { get; init; } = ProxyDrain.DefaultGracePeriodSeconds;

    /// <summary>Limits of Envoy's overload manager; null for none.</summary>
    public ProxyOverload? Overload { get; init; }

    /// <summary>Limits on HTTP headers.</summary>
    public ProxyHeaderLimits Headers { get; init; } = ProxyHeaderLimits.Default;

    /// <summary>Whether to create a PodMonitor of Prometheus Operator.</summary>
    public bool HasPodMonitor { get; init; }

    /// <summary>Whether to create a NetworkPolicy that limits where the proxies connect to.</summary>
    public bool HasNetworkPolicy { get; init; }

    /// <summary>
    /// Merges the settings field by field. Invalid fields, which <see cref="Tenants.SettingsProblems"/> reports, are ignored.
    /// </summary>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="tenant">The Tenant; null if there is none.</param>
    public static ProxySettings Merge(Config? config, Tenant? tenant) =>
        ProxySettingsReader.Read(config?.Spec?.EnvoyProxy, tenant?.Spec?.EnvoyProxy);
}

/// <summary>How long a proxy's connections are drained.</summary>
/// <param name="Minimum">Minimum time, in which clients and load balancers detect the failing health check. Whole seconds.</param>
/// <param name="Maximum">Maximum time. Whole seconds.</param>
public sealed record ProxyDrain(TimeSpan Minimum, TimeSpan Maximum)
{
    /// <summary>Seconds until a pod is killed, unless the settings set another value.</summary>
    public const long DefaultGracePeriodSeconds = 300;

    /// <summary>5 to 60 seconds.</summary>
    public static ProxyDrain Default { get; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
}

/// <summary>Limits of Envoy's overload manager.</summary>
/// <param name="Connections">Maximum number of client connections; null for no limit.</param>
/// <param name="HeapBytes">Maximum heap size in bytes; null for no limit.</param>
public sealed record ProxyOverload(long? Connections, long? HeapBytes);

/// <summary>Limits on HTTP headers.</summary>
/// <param name="RequestKilobytes">Maximum size of a request's headers in KiB.</param>
/// <param name="RequestCount">Maximum number of a request's headers.</param>
/// <param name="ResponseKilobytes">Maximum size of a response's headers in KiB.</param>
public sealed record ProxyHeaderLimits(int RequestKilobytes, int RequestCount, int ResponseKilobytes)
{
    /// <summary>Envoy's maximum size in KiB.</summary>
    public const int MaxKilobytes = 8192;

    /// <summary>Maximum number of a request's headers unless the settings set another, and of a response's headers.</summary>
    public const int DefaultCount = 4096;

    /// <summary>The defaults. They are high, because the proxy of Envoy Gateway in front applies its own limits.</summary>
    public static ProxyHeaderLimits Default { get; } = new(MaxKilobytes, DefaultCount, MaxKilobytes);
}
