using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>The state of an informer of any type.</summary>
public interface IInformer
{
    /// <summary>
    /// True after the first complete list is in the store, even if the API server becomes unavailable afterwards. For an optional kind
    /// (<see cref="Hosting.WhenAbsent.BlockNone"/>), also true after the API server responded that the kind is not served.
    /// </summary>
    bool HasSynced { get; }

    /// <summary>
    /// True if the store contains a complete list of a served kind. False before the first list. Also false after the API server responded
    /// that the kind is not served, or after the kubeconfig changed to another server, until the next complete list. While it is false, an
    /// object that is not in the store may exist.
    /// </summary>
    bool IsComplete { get; }

    /// <summary>
    /// The number of objects that were removed from the store or started terminating, for any reason. An object that was deleted and
    /// recreated is counted at least once. Never decreases.
    /// </summary>
    long Removals { get; }

    /// <summary>
    /// True while the API server does not serve an optional kind (<see cref="Hosting.WhenAbsent.BlockNone"/>): writes would be rejected.
    /// The store keeps its content.
    /// </summary>
    bool IsAbsent { get; }

    /// <summary>The current error of list or watch in one sentence; null if there is none.</summary>
    string? LastError { get; }

    /// <summary>Completes when <see cref="HasSynced"/> becomes true.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A local, indexed cache of the objects of one kind, updated by list and watch. Thread-safe. Returned objects are shared: do not modify
/// them.
/// </summary>
/// <typeparam name="T">The kind of object.</typeparam>
public interface IInformer<T> : IInformer
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The stored object, or null.</summary>
    T? Get(ResourceKey key);

    /// <summary>The stored object, or null. <paramref name="ns"/> is empty for cluster-scoped kinds.</summary>
    T? Get(string ns, string name);

    /// <summary>A snapshot of all stored objects, in no particular order.</summary>
    IReadOnlyCollection<T> List();

    /// <summary>The objects with a value of an index, ordered by namespace and name.</summary>
    /// <exception cref="ArgumentException">The index is not registered.</exception>
    IReadOnlyList<T> ByIndex(string index, string value);

    /// <summary>The number of objects with a value of an index, in constant time.</summary>
    /// <exception cref="ArgumentException">The index is not registered.</exception>
    int CountByIndex(string index, string value);

    /// <summary>
    /// Stores the response to a write of this process at once (read-your-writes) and calls the handlers, unless the store has the same or a
    /// newer resourceVersion, or the object was deleted later. Ignored for an object outside the namespace of the informer. Label and field
    /// selectors are not evaluated, so the object must match them.
    /// </summary>
    void Observe(T written);

    /// <summary>Removes from the store at once an object that this process deleted, unless the store has a recreated object.</summary>
    /// <param name="deleted">The object before its deletion.</param>
    void ObserveDeleted(T deleted);

    /// <summary>
    /// Calls <paramref name="handler"/> for every stored object (as an addition) and for every later change, in order per key. Handlers run
    /// on the thread that changes the store, which is the loop of the informer or a caller that writes: they must be fast and must not
    /// block. If a handler throws, the deletions that it failed on and all stored objects, as additions, are replayed to it.
    /// </summary>
    /// <returns>The subscription, which ends when disposed.</returns>
    IDisposable Subscribe(Action<Change<T>> handler);
}

/// <summary>A change of the store of an informer.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Old">The stored object before the change; null for an addition.</param>
/// <param name="New">The stored object after the change; null for a deletion.</param>
public readonly record struct Change<T>(T? Old, T? New)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The key of the changed object.</summary>
    public ResourceKey Key => ResourceKey.Of((New ?? Old)!);

    /// <summary><see cref="Old"/> and <see cref="New"/>, without null.</summary>
    public IEnumerable<T> Both()
    {
        if (Old is not null)
        {
            yield return Old;
        }

        if (New is not null)
        {
            yield return New;
        }
    }
}

/// <summary>Namespace and name of an object.</summary>
/// <param name="Namespace">The namespace; empty for cluster-scoped objects.</param>
/// <param name="Name">The name within the namespace.</param>
public readonly record struct ResourceKey(string Namespace, string Name)
{
    /// <summary>The key of an object.</summary>
    /// <exception cref="ArgumentException">The object has no <c>metadata.name</c>.</exception>
    public static ResourceKey Of(IKubernetesObject<V1ObjectMeta> obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        if (string.IsNullOrEmpty(obj.Metadata?.Name))
        {
            throw new ArgumentException($"The {obj.GetType().Name} has no metadata.name.", nameof(obj));
        }

        return new ResourceKey(obj.Metadata.NamespaceProperty ?? "", obj.Metadata.Name);
    }

    /// <summary><c>namespace/name</c>, or only the name for cluster-scoped objects.</summary>
    public override string ToString() => string.IsNullOrEmpty(Namespace) ? Name : $"{Namespace}/{Name}";
}
