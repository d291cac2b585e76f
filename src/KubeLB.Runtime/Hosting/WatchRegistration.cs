using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Hosting;

/// <summary>One informer that a controller listens to, its type forgotten.</summary>
internal abstract class WatchRegistration(string cluster, ResourceKind kind)
{
    public string Cluster { get; } = cluster;

    public ResourceKind Kind { get; } = kind;

    /// <summary>Calls <paramref name="enqueue"/> for every key that a change of the informer concerns.</summary>
    public abstract IDisposable Connect(Cluster source, IServiceProvider services, Action<ResourceKey> enqueue);
}

/// <summary>One informer that a controller listens to.</summary>
internal sealed class WatchRegistration<T>(
    string cluster,
    ResourceKind kind,
    Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> map
) : WatchRegistration(cluster, kind)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override IDisposable Connect(Cluster source, IServiceProvider services, Action<ResourceKey> enqueue)
    {
        var keysOf = map(services);
        return source
            .FindInformer<T>()!
            .Subscribe(
                change =>
                {
                    foreach (var key in keysOf(change))
                    {
                        enqueue(key);
                    }
                },
                enqueue
            );
    }
}
