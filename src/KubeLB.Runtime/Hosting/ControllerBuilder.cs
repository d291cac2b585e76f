using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Queues;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Hosting;

/// <summary>Says what one controller watches and how much it does at once.</summary>
public sealed class ControllerBuilder
{
    private readonly List<WatchRegistration> _watches = [];
    private readonly List<Func<IServiceProvider, Action<ResourceKey>, IDisposable>> _sources = [];
    private readonly HashSet<(string Cluster, ResourceKind Kind)> _needs = [];
    private readonly HashSet<(string Cluster, ResourceKind Kind)> _own = [];

    /// <summary>How many keys are reconciled at once. Default 1. The same key never runs twice at once.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>Backoff of failing keys.</summary>
    public WorkQueueOptions Queue { get; set; } = new();

    /// <summary>
    /// True (the default) to run only while this process leads. False for a controller that every replica runs, for example one that only
    /// keeps something in memory.
    /// </summary>
    public bool OnlyWhileLeading { get; set; } = true;

    /// <summary>
    /// What the controller runs under instead of the process's leadership, for example a <see cref="LeadershipGate"/>; null (the default)
    /// for that leadership. Without effect where <see cref="OnlyWhileLeading"/> is false.
    /// </summary>
    public Func<IServiceProvider, ILeadership>? RunsWhile { get; set; }

    internal IReadOnlyList<WatchRegistration> Watches => _watches;

    internal IReadOnlyList<Func<IServiceProvider, Action<ResourceKey>, IDisposable>> Sources => _sources;

    internal IReadOnlyCollection<(string Cluster, ResourceKind Kind)> Needs => _needs;

    /// <summary>The kinds whose own keys are reconciled: without them there is nothing to do, even where they may be absent.</summary>
    internal IReadOnlyCollection<(string Cluster, ResourceKind Kind)> Own => _own;

    /// <summary>
    /// Starts the controller only when <typeparamref name="T"/> has synced too, without watching it: for kinds that the reconciler reads
    /// and whose changes need no reconcile. Watched kinds are waited for anyway.
    /// </summary>
    public ControllerBuilder WaitFor<T>(string cluster)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        _needs.Add((cluster, ResourceKind.Of<T>()));
        return this;
    }

    /// <summary>Reconciles keys that something other than an informer gives, as a channel source of controller-runtime does.</summary>
    /// <param name="connect">Called once, with the host's services and what queues a key; ends with what it returns.</param>
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
        _own.Add((cluster, ResourceKind.Of<T>()));
        return Watch<T>(cluster, _ => (Change<T> change) => [change.Key]);
    }

    /// <summary>Reconciles the keys that <paramref name="map"/> finds for a change.</summary>
    /// <param name="cluster">Name of a registered cluster.</param>
    /// <param name="map">Gives the mapping; called once, with the host's services. The mapping must be quick and must not block.</param>
    public ControllerBuilder Watch<T>(string cluster, Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> map)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        ArgumentNullException.ThrowIfNull(map);
        WaitFor<T>(cluster);
        _watches.Add(new WatchRegistration<T>(cluster, ResourceKind.Of<T>(), map));
        return this;
    }

    /// <summary>Reconciles the keys that <paramref name="map"/> finds for the object before and for the object after a change.</summary>
    /// <param name="cluster">Name of a registered cluster.</param>
    /// <param name="map">Gives the mapping; called once, with the host's services. The mapping must be quick and must not block.</param>
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
