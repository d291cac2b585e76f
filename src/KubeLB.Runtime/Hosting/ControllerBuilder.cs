using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Queues;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Hosting;

/// <summary>Configures the watches and the concurrency of a controller.</summary>
public sealed class ControllerBuilder
{
    private readonly List<WatchRegistration> _watches = [];
    private readonly List<Func<IServiceProvider, Action<ResourceKey>, IDisposable>> _sources = [];
    private readonly HashSet<(string Cluster, ResourceKind Kind)> _requiredKinds = [];
    private readonly HashSet<(string Cluster, ResourceKind Kind)> _ownKinds = [];

    /// <summary>The number of keys that are reconciled concurrently. Default 1. The same key is never reconciled concurrently.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>Backoff of failing keys.</summary>
    public WorkQueueOptions Queue { get; set; } = new();

    /// <summary>
    /// True (the default) to run only while this process is the leader. False for a controller that runs on every replica, for example one
    /// that only updates memory.
    /// </summary>
    public bool NeedsLeaderElection { get; set; } = true;

    /// <summary>
    /// Replaces the leadership of the process for this controller, for example by a <see cref="LeadershipGate"/>. Ignored if
    /// <see cref="NeedsLeaderElection"/> is false.
    /// </summary>
    public Func<IServiceProvider, ILeadership>? Leadership { get; set; }

    internal IReadOnlyList<WatchRegistration> Watches => _watches;

    internal IReadOnlyList<Func<IServiceProvider, Action<ResourceKey>, IDisposable>> Sources => _sources;

    /// <summary>
    /// The kinds whose informers must have synced, or be known as absent where that is allowed, before the controller starts.
    /// </summary>
    internal IReadOnlyCollection<(string Cluster, ResourceKind Kind)> RequiredKinds => _requiredKinds;

    /// <summary>
    /// The kinds whose keys are reconciled. The controller waits for them also with <see cref="WhenAbsent.BlockOwnControllers"/>.
    /// </summary>
    internal IReadOnlyCollection<(string Cluster, ResourceKind Kind)> OwnKinds => _ownKinds;

    /// <summary>
    /// Starts the controller only after the informer of <typeparamref name="T"/> has synced, without watching it: for kinds that the
    /// reconciler reads and whose changes require no reconcile. Watched kinds are included automatically.
    /// </summary>
    public ControllerBuilder WaitFor<T>(string cluster)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        _requiredKinds.Add((cluster, ResourceKind.Of<T>()));
        return this;
    }

    /// <summary>Reconciles keys from a source other than an informer, like a channel source of controller-runtime.</summary>
    /// <param name="connect">Called once, with the services of the host and the action that queues a key; returns the subscription.</param>
    public ControllerBuilder Source(Func<IServiceProvider, Action<ResourceKey>, IDisposable> connect)
    {
        ArgumentNullException.ThrowIfNull(connect);
        _sources.Add(connect);
        return this;
    }

    /// <summary>Reconciles the key of every <typeparamref name="T"/> that changes.</summary>
    public ControllerBuilder Watch<T>(string cluster)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        _ownKinds.Add((cluster, ResourceKind.Of<T>()));
        return Watch<T>(cluster, _ => (Change<T> change) => [change.Key]);
    }

    /// <summary>Reconciles the keys that a mapping returns for a change.</summary>
    /// <param name="cluster">Name of a registered cluster.</param>
    /// <param name="map">
    /// Creates the mapping; called once, with the services of the host. The mapping must be fast and must not block.
    /// </param>
    public ControllerBuilder Watch<T>(string cluster, Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> map)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        ArgumentNullException.ThrowIfNull(map);
        WaitFor<T>(cluster);
        _watches.Add(new WatchRegistration<T>(cluster, ResourceKind.Of<T>(), map));
        return this;
    }

    /// <summary>Reconciles the keys that a mapping returns for the old and for the new object of a change.</summary>
    /// <param name="cluster">Name of a registered cluster.</param>
    /// <param name="map">
    /// Creates the mapping; called once, with the services of the host. The mapping must be fast and must not block.
    /// </param>
    public ControllerBuilder Watch<T>(string cluster, Func<IServiceProvider, Func<T, IEnumerable<ResourceKey>>> map)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(map);
        return Watch<T>(
            cluster,
            services =>
            {
                var keysOf = map(services);
                return (Change<T> change) => change.Both().SelectMany(keysOf);
            }
        );
    }
}

/// <summary>The subscription of a controller to a source of keys (<see cref="ControllerBuilder.Source"/>).</summary>
/// <param name="unsubscribe">Called when the subscription is disposed.</param>
public sealed class SourceSubscription(Action? unsubscribe = null) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => unsubscribe?.Invoke();
}

/// <summary>An informer that a controller watches, without its type.</summary>
internal abstract class WatchRegistration(string cluster, ResourceKind kind)
{
    public string Cluster { get; } = cluster;

    public ResourceKind Kind { get; } = kind;

    /// <summary>Calls <paramref name="enqueue"/> for every key that the mapping returns for a change.</summary>
    public abstract IDisposable Connect(Cluster source, IServiceProvider services, Action<ResourceKey> enqueue);
}

/// <summary>An informer that a controller watches.</summary>
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
