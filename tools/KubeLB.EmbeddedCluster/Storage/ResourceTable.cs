using System.Collections.Immutable;
using NamespaceMap = System.Collections.Immutable.ImmutableSortedDictionary<string, KubeLB.EmbeddedCluster.Storage.StoredObject>;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>
/// The objects, history and watchers of one resource. Written only under the store's lock; <see cref="Current"/> can be read at any time.
/// </summary>
internal sealed class ResourceTable
{
    private readonly List<WatchSubscription> _subscriptions = [];
    private readonly int _historyCapacity;
    private ImmutableSortedDictionary<string, NamespaceMap> _namespaces = ImmutableSortedDictionary.Create<string, NamespaceMap>(
        StringComparer.Ordinal
    );

    internal ResourceTable(string group, string resource, int historyCapacity, long revision)
    {
        _historyCapacity = historyCapacity;
        Group = group;
        Resource = resource;
        History = new WatchHistory(historyCapacity, revision);
    }

    public string Group { get; }

    public string Resource { get; }

    internal WatchHistory History { get; private set; }

    internal IReadOnlyList<WatchSubscription> Subscriptions => _subscriptions;

    internal int Count { get; private set; }

    internal ImmutableSortedDictionary<string, NamespaceMap> Current => Volatile.Read(ref _namespaces);

    public StoredObject? Find(string @namespace, string name) =>
        Current.TryGetValue(@namespace, out var objects) && objects.TryGetValue(name, out var found) ? found : null;

    internal TableSnapshot Snapshot(long revision) => new(revision, Current);

    /// <summary>Replaces all objects, removes the history and ends all watches.</summary>
    internal void Restore(TableSnapshot snapshot)
    {
        Volatile.Write(ref _namespaces, snapshot.Namespaces);
        Count = snapshot.Namespaces.Values.Sum(objects => objects.Count);
        History = new WatchHistory(_historyCapacity, snapshot.Revision);
        foreach (var subscription in _subscriptions)
        {
            subscription.End();
        }
    }

    internal void Put(StoredObject stored)
    {
        var objects = _namespaces.TryGetValue(stored.Namespace, out var existing)
            ? existing
            : NamespaceMap.Empty.WithComparers(StringComparer.Ordinal);
        var changed = objects.SetItem(stored.Name, stored);
        Count += changed.Count - objects.Count;
        Volatile.Write(ref _namespaces, _namespaces.SetItem(stored.Namespace, changed));
    }

    internal void Drop(StoredObject stored)
    {
        var objects = _namespaces[stored.Namespace].Remove(stored.Name);
        Count--;
        Volatile.Write(
            ref _namespaces,
            objects.IsEmpty ? _namespaces.Remove(stored.Namespace) : _namespaces.SetItem(stored.Namespace, objects)
        );
    }

    internal void Publish(WatchEvent change)
    {
        History.Add(change);
        foreach (var subscription in _subscriptions)
        {
            subscription.Offer(change);
        }
    }

    internal void Add(WatchSubscription subscription) => _subscriptions.Add(subscription);

    internal void Remove(WatchSubscription subscription) => _subscriptions.Remove(subscription);
}

/// <summary>All objects of one resource at one resourceVersion.</summary>
/// <param name="Revision">The store's resourceVersion at that time.</param>
/// <param name="Namespaces">Objects by namespace (empty for cluster-scoped ones) and name.</param>
internal sealed record TableSnapshot(long Revision, ImmutableSortedDictionary<string, NamespaceMap> Namespaces)
{
    public StoredObject? Find(string @namespace, string name) =>
        Namespaces.TryGetValue(@namespace, out var objects) && objects.TryGetValue(name, out var found) ? found : null;

    /// <summary>Objects ordered by key, of one namespace or (null) of all.</summary>
    public IEnumerable<StoredObject> Objects(string? @namespace) =>
        @namespace is null ? Namespaces.Values.SelectMany(objects => objects.Values)
        : Namespaces.TryGetValue(@namespace, out var one) ? one.Values
        : [];
}

/// <summary>All objects of a store at one resourceVersion.</summary>
/// <param name="Revision">The store's resourceVersion at that time.</param>
/// <param name="Tables">The tables; a missing one was empty.</param>
internal sealed record StoreSnapshot(long Revision, IReadOnlyDictionary<ResourceTable, TableSnapshot> Tables)
{
    public TableSnapshot Of(ResourceTable table) => Tables.GetValueOrDefault(table) ?? new TableSnapshot(Revision, table.Current.Clear());
}
