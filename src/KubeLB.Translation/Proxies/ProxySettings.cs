using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Proxies;

/// <summary>The settings in force for a tenant's proxies: the Tenant's over the Config's over the defaults.</summary>
public sealed record ProxySettings
{
    /// <summary>
    /// Envoy's image unless the Config names another: the variant with a shell, which waits for connections to end.
    /// </summary>
    public const string DefaultImage = "docker.io/envoyproxy/envoy:v1.36.4";

    /// <summary>Number of proxy pods unless the settings say otherwise.</summary>
    public const int DefaultReplicas = 3;

    /// <summary>What holds without any settings.</summary>
    public static ProxySettings Default { get; } = new();

    /// <summary>Envoy's image.</summary>
    public string Image { get; init; } = DefaultImage;

    /// <summary>A DaemonSet instead of a Deployment.</summary>
    public bool IsDaemonSet { get; init; }

    /// <summary>Number of proxy pods of a Deployment.</summary>
    public int Replicas { get; init; } = DefaultReplicas;

    /// <summary>At most one proxy pod of the tenant per node.</summary>
    public bool IsOnePerNode { get; init; }

    /// <summary>Labels of the nodes that the proxies may run on.</summary>
    public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Taints that the proxies tolerate.</summary>
    public IReadOnlyList<V1Toleration> Tolerations { get; init; } = [];

    /// <summary>Scheduling constraints.</summary>
    public V1Affinity? Affinity { get; init; }

    /// <summary>Compute resources; null for the default, a small request.</summary>
    public V1ResourceRequirements? Resources { get; init; }

    /// <summary>How connections are given time to end; null if they are not.</summary>
    public ProxyDrain? Drain { get; init; } = ProxyDrain.Default;

    /// <summary>Seconds until a pod that is to end is killed.</summary>
    public long TerminationGracePeriodSeconds { get; init; } = ProxyDrain.DefaultGracePeriodSeconds;

    /// <summary>Limits of Envoy's overload manager; null for none.</summary>
    public ProxyOverload? Overload { get; init; }

    /// <summary>Limits on HTTP headers.</summary>
    public ProxyHeaderLimits Headers { get; init; } = ProxyHeaderLimits.Most;

    /// <summary>Whether Prometheus Operator is told of the pods.</summary>
    public bool HasPodMonitor { get; init; }

    /// <summary>
    /// Puts the settings together, field by field. A field that cannot be used as it is written (<see cref="Tenants.SettingsProblems"/>
    /// tells of it) counts as absent.
    /// </summary>
    /// <param name="config">The Config; null if there is none.</param>
    /// <param name="tenant">The Tenant; null if there is none.</param>
    public static ProxySettings Of(Config? config, Tenant? tenant) =>
        ProxySettingsReader.Read(config?.Spec?.EnvoyProxy, tenant?.Spec?.EnvoyProxy);
}

/// <summary>How long a proxy's connections may take to end.</summary>
/// <param name="Minimum">How long to wait at least, so that everybody notices that the proxy is going. Whole seconds.</param>
/// <param name="Maximum">How long to wait at most. Whole seconds.</param>
public sealed record ProxyDrain(TimeSpan Minimum, TimeSpan Maximum)
{
    /// <summary>Seconds until a pod is killed, unless the settings say otherwise.</summary>
    public const long DefaultGracePeriodSeconds = 300;

    /// <summary>5 to 60 seconds.</summary>
    public static ProxyDrain Default { get; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
}

/// <summary>Limits of Envoy's overload manager.</summary>
/// <param name="Connections">Number of client connections; null for any.</param>
/// <param name="HeapBytes">Heap size in bytes; null for any.</param>
public sealed record ProxyOverload(long? Connections, long? HeapBytes);

/// <summary>Limits on HTTP headers.</summary>
/// <param name="RequestKilobytes">Size of a request's headers in KiB.</param>
/// <param name="RequestCount">Number of a request's headers.</param>
/// <param name="ResponseKilobytes">Size of a response's headers in KiB.</param>
public sealed record ProxyHeaderLimits(int RequestKilobytes, int RequestCount, int ResponseKilobytes)
{
    /// <summary>Envoy's greatest size in KiB.</summary>
    public const int GreatestKilobytes = 8192;

    /// <summary>Number of headers that pass unless the settings say otherwise, and of a response's in any case.</summary>
    public const int ManyHeaders = 4096;

    /// <summary>What nobody in front of the proxy has let through already is refused there; here everything passes.</summary>
    public static ProxyHeaderLimits Most { get; } = new(GreatestKilobytes, ManyHeaders, GreatestKilobytes);
}
