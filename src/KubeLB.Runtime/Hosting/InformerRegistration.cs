using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Hosting;

/// <summary>One informer that a cluster was asked to run, its type forgotten.</summary>
internal abstract class InformerRegistration(ResourceKind kind, Type type)
{
    public ResourceKind Kind { get; } = kind;

    public Type Type { get; } = type;
}

/// <summary>One informer that a cluster was asked to run.</summary>
internal sealed class InformerRegistration<T>(ResourceKind kind, InformerBuilder<T> settings) : InformerRegistration(kind, typeof(T))
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public InformerBuilder<T> Settings { get; } = settings;
}
