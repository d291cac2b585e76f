using k8s.Models;

namespace KubeLB.Api.Monitoring;

/// <summary>Selects the pods that Prometheus scrapes.</summary>
/// <remarks>https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor</remarks>
[KubernetesEntity(Group = ApiGroups.Monitoring, ApiVersion = Version, Kind = KindName, PluralName = PluralName)]
public sealed class PodMonitor : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "PodMonitor";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "podmonitors";

    private const string Version = "v1";

    /// <summary>An empty object of the right type.</summary>
    public PodMonitor()
    {
        ApiVersion = $"{ApiGroups.Monitoring}/{Version}";
        Kind = KindName;
    }

    /// <summary>The pods and endpoints to scrape.</summary>
    public PodMonitorSpec? Spec { get; set; }
}

/// <summary>Spec of a <see cref="PodMonitor"/>: the part that KubeLB writes.</summary>
public sealed class PodMonitorSpec : Extensible
{
    /// <summary>Label selector of the pods.</summary>
    public V1LabelSelector Selector { get; set; } = new();

    /// <summary>The endpoints of each pod.</summary>
    public List<PodMetricsEndpoint> PodMetricsEndpoints { get; set; } = [];
}

/// <summary>A metrics endpoint of a pod.</summary>
public sealed class PodMetricsEndpoint : Extensible
{
    /// <summary>Name of the container's port.</summary>
    public string? Port { get; set; }

    /// <summary>Path, <c>/metrics</c> if absent.</summary>
    public string? Path { get; set; }
}
