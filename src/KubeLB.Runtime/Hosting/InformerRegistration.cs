using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Watching;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>One informer that a cluster was asked to run, its type forgotten.</summary>
internal abstract class InformerRegistration(ResourceKind kind, Type type)
{
    public ResourceKind Kind { get; } = kind;

    public Type Type { get; } = type;

    public abstract IInformerRunner Create(InformerParts parts);
}

/// <summary>One informer that a cluster was asked to run.</summary>
internal sealed class InformerRegistration<T>(ResourceKind kind, InformerBuilder<T> settings) : InformerRegistration(kind, typeof(T))
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public InformerBuilder<T> Settings { get; } = settings;

    public override IInformerRunner Create(InformerParts parts) =>
        new Informer<T>(
            parts.Cluster.Name,
            parts.Cluster.ClientOf<T>(),
            parts.Cluster.Transport,
            Settings,
            parts.Troubles,
            parts.Limits,
            parts.Metrics,
            parts.Time,
            parts.Logger
        );
}

/// <summary>What every informer of a cluster is made of.</summary>
internal sealed record InformerParts(
    Cluster Cluster,
    ClusterErrors Troubles,
    ReflectorSettings Limits,
    RuntimeMetrics Metrics,
    TimeProvider Time,
    ILogger Logger
);
