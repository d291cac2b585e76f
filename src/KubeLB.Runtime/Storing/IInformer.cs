using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>The state of an informer, whatever its type.</summary>
public interface IInformer
{
    /// <summary>
    /// True once the first complete list is in the store. Stays true when the API server is lost afterwards. Of a kind that may be absent
    /// (<see cref="Hosting.WhenAbsent.NotAwaited"/>) also once the API server has answered that it does not serve the kind.
    /// </summary>
    bool HasSynced { get; }

    /// <summary>
    /// True if the store reflects a complete list of a kind that is served: false before the first list, and from the API server's answer
    /// that it does not serve the kind until the next complete list. While it is false, an object that is not in the store may exist all
    /// the same.
    /// </summary>
    bool IsComplete { get; }

    /// <summary>
    /// How many objects have been taken out of the store, or were first seen to be in deletion, so far, whatever the reason; an object that
    /// was deleted and created again counts at least once. Never decreases.
    /// </summary>
    long Removals { get; }

    /// <summary>
    /// True while the API server does not serve the kind, which for this informer may be so (<see cref="Hosting.WhenAbsent.NotAwaited"/>):
    /// a write would only be rejected. The store keeps what it had.
    /// </summary>
    bool IsAbsent { get; }

    /// <summary>One sentence saying why list or watch fails at present; null while all is well.</summary>
    string? LastError { get; }

    /// <summary>Completes when <see cref="HasSynced"/> becomes true.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A local, indexed copy of the objects of one kind, kept up to date by list and watch. All members may be used from any thread.
/// Returned objects are shared: treat them as immutable.
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

    /// <summary>The objects for which the named index yielded <paramref name="value"/>, ordered by namespace and name.</summary>
    /// <exception cref="ArgumentException">No index of that name was registered.</exception>
    IReadOnlyList<T> ByIndex(string index, string value);

    /// <summary>How many objects the named index yielded <paramref name="value"/> for; costs the same however many there are.</summary>
    /// <exception cref="ArgumentException">No index of that name was registered.</exception>
    int CountByIndex(string index, string value);

    /// <summary>
    /// Read-your-writes: puts the API server's answer to a write of our own into the store at once, and tells the handlers, unless the
    /// store already holds that resourceVersion or a newer one, or has seen the object deleted since. An object outside the informer's
    /// namespace is ignored; its label and field selectors are not evaluated here, so write only what they match.
    /// </summary>
    void Observe(T written);

    /// <summary>Removes an object that we deleted ourselves from the store at once, unless a newer incarnation is stored.</summary>
    /// <param name="deleted">The object as it was when it was deleted.</param>
    void ObserveDeleted(T deleted);

    /// <summary>
    /// Calls <paramref name="handler"/> for every stored object (as an addition) and for every change from now on, in order per key.
    /// Handlers run on the informer's own turn: they must be quick and must not block. One that throws gets everything that is stored
    /// again, as additions, and the deletions that it failed on.
    /// </summary>
    /// <returns>Ends the subscription when disposed.</returns>
    IDisposable Subscribe(Action<Change<T>> handler);
}
