using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>
/// All objects of the cluster. One lock orders all commits, so that resourceVersions are one global sequence; it is held only to insert the
/// version, swap a reference and pass the event to the watchers. Reads are lock-free.
/// </summary>
internal sealed class ClusterStore(int historyCapacity)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<(string Group, string Resource), ResourceTable> _tables = new();
    private readonly Dictionary<string, (ResourceTable Table, StoredObject Object)> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _dependents = new(StringComparer.Ordinal);
    private readonly List<Action<StoreChange>> _followers = [];
    private long _revision = 1;

    /// <summary>The resourceVersion of the last change.</summary>
    public long Revision => Volatile.Read(ref _revision);

    public IEnumerable<ResourceTable> Tables => _tables.Values;

    public ResourceTable Table(string group, string resource) =>
        _tables.GetOrAdd(
            (group, resource),
            key =>
            {
                lock (_lock)
                {
                    return new ResourceTable(key.Group, key.Resource, historyCapacity, _revision);
                }
            }
        );

    /// <summary>
    /// Calls <paramref name="follower"/> for every subsequent change, in order, inside the lock: it must return immediately.
    /// </summary>
    public void Follow(Action<StoreChange> follower)
    {
        lock (_lock)
        {
            _followers.Add(follower);
        }
    }

    public TableSnapshot Snapshot(ResourceTable table)
    {
        lock (_lock)
        {
            return new TableSnapshot(_revision, table.Current);
        }
    }

    /// <summary>The table at an earlier resourceVersion; null if the history does not contain it.</summary>
    public TableSnapshot? SnapshotAt(ResourceTable table, long revision)
    {
        lock (_lock)
        {
            if (revision < table.History.OldestResumable || revision > _revision)
            {
                return null;
            }
            var namespaces = table.Current;
            foreach (var change in table.History.After(revision).Reverse())
            {
                var stored = change.Object;
                var objects =
                    namespaces.GetValueOrDefault(stored.Namespace)
                    ?? ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);
                objects = change.Previous is { } previous ? objects.SetItem(stored.Name, previous) : objects.Remove(stored.Name);
                namespaces = namespaces.SetItem(stored.Namespace, objects);
            }
            return new TableSnapshot(revision, namespaces);
        }
    }

    /// <summary>Copies all tables.</summary>
    public StoreSnapshot Save()
    {
        lock (_lock)
        {
            return new StoreSnapshot(
                _revision,
                _tables.Values.ToDictionary(table => table, table => new TableSnapshot(_revision, table.Current))
            );
        }
    }

    /// <summary>
    /// Restores a snapshot, as a restart with a restored etcd does: resourceVersions continue from that of the snapshot, the history is
    /// empty and every watch ends. Followers get the differences, with the versions of the snapshot.
    /// </summary>
    public void Restore(StoreSnapshot snapshot)
    {
        lock (_lock)
        {
            var changes = new List<StoreChange>();
            foreach (var table in _tables.Values)
            {
                var before = table.Snapshot(_revision);
                var after = snapshot.Of(table);
                table.Restore(after);
                changes.AddRange(Differences(before, after).Select(change => new StoreChange(table, change)));
            }
            _revision = snapshot.Revision;
            _byUid.Clear();
            _dependents.Clear();
            foreach (var table in _tables.Values)
            {
                foreach (var stored in table.Snapshot(_revision).Objects(null))
                {
                    Index(table, null, stored);
                }
            }
            foreach (var change in changes)
            {
                foreach (var follower in _followers)
                {
                    follower(change);
                }
            }
        }
    }

    /// <summary>Adds an object; null if the name exists.</summary>
    /// <param name="table">The table.</param>
    /// <param name="created">The object, without a resourceVersion.</param>
    /// <param name="guard">Called inside the lock before the change; may throw.</param>
    public StoredObject? Insert(ResourceTable table, StoredObject created, Action? guard = null)
    {
        lock (_lock)
        {
            guard?.Invoke();
            if (table.Find(created.Namespace, created.Name) is not null)
            {
                return null;
            }
            var stored = created.At(++_revision);
            table.Put(stored);
            Index(table, null, stored);
            Publish(table, new WatchEvent(ChangeType.Added, stored, null));
            return stored;
        }
    }

    /// <summary>Replaces an object if it is still <paramref name="expected"/>; null otherwise.</summary>
    public StoredObject? Replace(ResourceTable table, StoredObject expected, StoredObject next)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(table.Find(expected.Namespace, expected.Name), expected))
            {
                return null;
            }
            var stored = next.At(++_revision);
            table.Put(stored);
            Index(table, expected, stored);
            Publish(table, new WatchEvent(ChangeType.Modified, stored, expected));
            return stored;
        }
    }

    /// <summary>Removes an object if it is still <paramref name="expected"/>; null otherwise.</summary>
    /// <returns>The object's last state, at the resourceVersion of its removal.</returns>
    public StoredObject? Remove(ResourceTable table, StoredObject expected, StoredObject? last = null)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(table.Find(expected.Namespace, expected.Name), expected))
            {
                return null;
            }
            var tombstone = (last ?? expected).At(++_revision);
            table.Drop(expected);
            Index(table, expected, null);
            Publish(table, new WatchEvent(ChangeType.Deleted, tombstone, expected));
            return tombstone;
        }
    }

    /// <summary>Starts a watch; null if the history does not contain <paramref name="after"/>.</summary>
    /// <param name="table">The table.</param>
    /// <param name="namespace">Only this namespace.</param>
    /// <param name="after">The resourceVersion to start after; null starts with the existing objects.</param>
    /// <param name="oldest">The oldest resourceVersion that a watch can resume from.</param>
    public WatchSubscription? Subscribe(ResourceTable table, string? @namespace, long? after, out long oldest)
    {
        lock (_lock)
        {
            oldest = table.History.OldestResumable;
            if (after < oldest)
            {
                return null;
            }
            IReadOnlyList<WatchEvent> replay = after is { } revision
                ? [.. table.History.After(revision).Where(change => @namespace is null || change.Object.Namespace == @namespace)]
                : [];
            var subscription = new WatchSubscription(
                @namespace,
                new TableSnapshot(_revision, table.Current),
                replay,
                ended => Unsubscribe(table, ended)
            );
            table.Add(subscription);
            return subscription;
        }
    }

    public (ResourceTable Table, StoredObject Object)? FindByUid(string uid)
    {
        lock (_lock)
        {
            return _byUid.TryGetValue(uid, out var found) ? found : null;
        }
    }

    /// <summary>Objects with an owner reference to <paramref name="ownerUid"/>.</summary>
    public IReadOnlyList<(ResourceTable Table, StoredObject Object)> Dependents(string ownerUid)
    {
        lock (_lock)
        {
            return _dependents.TryGetValue(ownerUid, out var uids) ? [.. uids.Select(uid => _byUid[uid])] : [];
        }
    }

    /// <summary>Ends the watches of all tables, or of those that match <paramref name="which"/>.</summary>
    public void EndWatches(Func<ResourceTable, bool>? which = null)
    {
        lock (_lock)
        {
            foreach (
                var subscription in _tables.Values.Where(table => which?.Invoke(table) ?? true).SelectMany(table => table.Subscriptions)
            )
            {
                subscription.End();
            }
        }
    }

    /// <summary>Removes the history of all tables, so that resuming a watch fails with 410.</summary>
    public void Compact()
    {
        lock (_lock)
        {
            foreach (var table in _tables.Values)
            {
                table.History.Compact(_revision);
            }
        }
    }

    private static IEnumerable<WatchEvent> Differences(TableSnapshot before, TableSnapshot after)
    {
        foreach (var old in before.Objects(null))
        {
            if (after.Find(old.Namespace, old.Name) is null)
            {
                yield return new WatchEvent(ChangeType.Deleted, old, old);
            }
        }
        foreach (var stored in after.Objects(null))
        {
            var old = before.Find(stored.Namespace, stored.Name);
            if (!ReferenceEquals(old, stored))
            {
                yield return new WatchEvent(old is null ? ChangeType.Added : ChangeType.Modified, stored, old);
            }
        }
    }

    private void Unsubscribe(ResourceTable table, WatchSubscription subscription)
    {
        lock (_lock)
        {
            table.Remove(subscription);
        }
    }

    private void Publish(ResourceTable table, WatchEvent change)
    {
        table.Publish(change);
        foreach (var follower in _followers)
        {
            follower(new StoreChange(table, change));
        }
    }

    private void Index(ResourceTable table, StoredObject? before, StoredObject? after)
    {
        if (before is not null)
        {
            _byUid.Remove(before.Uid);
            foreach (var owner in before.Identity.Owners)
            {
                if (_dependents.TryGetValue(owner.Uid, out var uids) && uids.Remove(before.Uid) && uids.Count == 0)
                {
                    _dependents.Remove(owner.Uid);
                }
            }
        }
        if (after is not null)
        {
            _byUid[after.Uid] = (table, after);
            foreach (var owner in after.Identity.Owners)
            {
                if (!_dependents.TryGetValue(owner.Uid, out var uids))
                {
                    _dependents[owner.Uid] = uids = new HashSet<string>(StringComparer.Ordinal);
                }
                uids.Add(after.Uid);
            }
        }
    }
}
