using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// The store of an informer. It merges watch events and responses to writes of this process, which arrive in any order: the later
/// resourceVersion wins, and a deleted object stays deleted. A complete list replaces the content, because an API server whose storage was
/// restored from a backup returns earlier versions, and objects that had been deleted.
/// </summary>
internal sealed class ObjectStore<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const int TombstoneCapacity = 4096;

    /// <summary>The delay of the first replay to a handler that failed; doubles with each replay, up to a factor of 128.</summary>
    private static readonly TimeSpan BaseReplayDelay = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly IndexedObjects<T> _objects;
    private readonly Tombstones _tombstones = new(TombstoneCapacity);
    private readonly ChangeDispatcher<T> _dispatcher;
    private readonly Action<int> _countChanged;
    private long _removals;

    /// <summary>The writes of this process since the request of the current list; null if no list is in progress.</summary>
    private Dictionary<ResourceKey, OwnWrite>? _ownWrites;

    public ObjectStore(
        IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> indexes,
        Action<string, ResourceKey, Exception> indexFailed,
        Action<Exception> handlerFailed,
        Action<int> countChanged,
        TimeProvider? time = null
    )
    {
        _objects = new IndexedObjects<T>(indexes, indexFailed);
        _time = time ?? TimeProvider.System;
        _dispatcher = new ChangeDispatcher<T>(
            (subscription, e) =>
            {
                ScheduleReplay(subscription);
                handlerFailed(e);
            }
        );
        _countChanged = countChanged;
    }

    /// <summary>The number of objects that were removed or started terminating.</summary>
    public long Removals => Interlocked.Read(ref _removals);

    public T? Get(ResourceKey key)
    {
        lock (_gate)
        {
            return _objects.Get(key);
        }
    }

    public IReadOnlyCollection<T> List()
    {
        lock (_gate)
        {
            return _objects.All();
        }
    }

    public IReadOnlyList<T> ByIndex(string index, string value)
    {
        lock (_gate)
        {
            return _objects.ByIndex(index, value);
        }
    }

    public int CountByIndex(string index, string value)
    {
        lock (_gate)
        {
            return _objects.CountByIndex(index, value);
        }
    }

    /// <param name="handler">The handler.</param>
    /// <param name="onFailedKey">Called with the key of a change that the handler failed on; null to ignore.</param>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey>? onFailedKey = null)
    {
        IDisposable subscription;
        lock (_gate)
        {
            subscription = _dispatcher.Subscribe(handler, onFailedKey, _objects.All());
        }

        _dispatcher.Dispatch();
        return subscription;
    }

    /// <summary>Stores the object of a watch event.</summary>
    public void Upsert(T obj) => Upsert(obj, isOwn: false);

    /// <summary>Stores the object of the response to a write of this process.</summary>
    public void UpsertOwn(T obj) => Upsert(obj, isOwn: true);

    /// <summary>Removes the object of a DELETED event, which has the resourceVersion of the deletion.</summary>
    public void Delete(T last)
    {
        lock (_gate)
        {
            var key = ResourceKey.Of(last);
            var stored = _objects.Get(key);
            if (stored is null || !ResourceVersions.IsNewer(stored.Metadata.ResourceVersion, last.Metadata.ResourceVersion))
            {
                // The tombstone has no uid: an object that only stopped matching the selector may match it again.
                Remove(key, stored, null, last.Metadata.ResourceVersion);
            }
        }

        _dispatcher.Dispatch();
    }

    /// <summary>Removes an object that this process deleted. Later watch events with its uid are ignored.</summary>
    public void DeleteOwn(T deleted)
    {
        lock (_gate)
        {
            var key = ResourceKey.Of(deleted);
            if (deleted.Metadata.Uid is { } uid)
            {
                _ownWrites?[key] = new OwnWrite(null, uid);
            }

            var stored = _objects.Get(key);
            if (stored is null || stored.Metadata.Uid == deleted.Metadata.Uid)
            {
                Remove(
                    key,
                    stored,
                    deleted.Metadata.Uid,
                    ResourceVersions.Later(stored?.Metadata.ResourceVersion, deleted.Metadata.ResourceVersion)
                );
            }
        }

        _dispatcher.Dispatch();
    }

    /// <summary>
    /// Stores the result of a write: the current object, or that it does not exist. An object with an earlier resourceVersion is also
    /// stored if it conflicts with the state that the write was based on.
    /// </summary>
    /// <param name="key">The object.</param>
    /// <param name="basis">The stored object that the write was based on; null for none.</param>
    /// <param name="live">The object in the response; null if it does not exist.</param>
    /// <param name="onConflict">Called if the response conflicts with the store and the store has not changed since; must be fast.</param>
    public void ApplyResponse(ResourceKey key, T? basis, T? live, Action onConflict)
    {
        lock (_gate)
        {
            var conflicts = false;
            var stored = _objects.Get(key);
            var isUnchanged = IsSame(stored, basis);
            if (live is not null)
            {
                RecordWrite(key, live);
                conflicts =
                    isUnchanged
                    && (
                        IsNewer(key, stored, live) ? stored is not null && stored.Metadata.Uid != live.Metadata.Uid : !IsSame(stored, live)
                    );
                if (conflicts)
                {
                    Set(key, stored, live);
                }
                else
                {
                    Merge(key, live);
                }
            }
            else if (basis is not null && isUnchanged)
            {
                conflicts = true;
                Remove(key, stored, basis.Metadata.Uid, basis.Metadata.ResourceVersion);
            }

            if (conflicts)
            {
                onConflict();
            }

            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

    /// <summary>Calls <paramref name="action"/> if the stored object is still <paramref name="basis"/>; it must be fast.</summary>
    public void IfUnchanged(ResourceKey key, T? basis, Action action)
    {
        lock (_gate)
        {
            if (IsSame(_objects.Get(key), basis))
            {
                action();
            }
        }
    }

    /// <summary>Whether both are null, or have the same uid and resourceVersion.</summary>
    private static bool IsSame(T? one, T? other) =>
        one is null || other is null
            ? one is null && other is null
            : one.Metadata.Uid == other.Metadata.Uid && one.Metadata.ResourceVersion == other.Metadata.ResourceVersion;

    /// <summary>Starts recording writes of this process, because they may be later than the list that is about to be requested.</summary>
    public void BeginList()
    {
        lock (_gate)
        {
            _ownWrites = [];
        }
    }

    /// <summary>
    /// Replaces the content by a complete list: missing objects are deleted, and listed objects are stored, the oldest first, even if the
    /// store has a later version or a tombstone. Only writes of this process since <see cref="BeginList"/> take precedence over the list,
    /// if they are later.
    /// </summary>
    /// <param name="listed">The objects.</param>
    /// <param name="resourceVersion">The resourceVersion of the list.</param>
    /// <param name="undecodable">Keys of objects that could not be decoded; their stored objects are kept.</param>
    /// <param name="compare">
    /// Also compares the content of objects with an unchanged resourceVersion, because a restored storage may assign the same version to
    /// different content.
    /// </param>
    /// <param name="onReplaced">Called after the list is stored and before handlers are called; must be fast.</param>
    public void Replace(
        IReadOnlyCollection<T> listed,
        string resourceVersion,
        IReadOnlySet<ResourceKey> undecodable,
        bool compare = false,
        Action? onReplaced = null
    )
    {
        lock (_gate)
        {
            var own = _ownWrites ?? [];
            _ownWrites = null;
            _tombstones.Listed(resourceVersion);
            var present = new HashSet<ResourceKey>(listed.Count);
            foreach (var obj in ByAge(listed))
            {
                var key = ResourceKey.Of(obj);
                present.Add(key);
                if (!own.TryGetValue(key, out var write) || !write.IsLaterThan(obj, resourceVersion))
                {
                    Put(key, obj, compare);
                }
            }

            foreach (var (key, write) in own)
            {
                if (write.Written is { } written && ResourceVersions.IsNewer(written.Metadata.ResourceVersion, resourceVersion))
                {
                    present.Add(key);
                    Put(key, written, compare);
                }
                else if (write.DeletedUid is { } uid && _objects.Get(key) is var stored && (stored is null || stored.Metadata.Uid == uid))
                {
                    Remove(key, stored, uid, resourceVersion);
                }
            }

            foreach (var key in _objects.Keys.Where(k => !present.Contains(k) && !undecodable.Contains(k)).ToArray())
            {
                Remove(key, _objects.Get(key), null, resourceVersion);
            }

            _countChanged(_objects.Count);
            onReplaced?.Invoke();
        }

        _dispatcher.Dispatch();
    }

    // What is generated from older objects is created first, because its age can matter.
    private static IEnumerable<T> ByAge(IReadOnlyCollection<T> objects) =>
        objects
            .OrderBy(o => o.Metadata.CreationTimestamp)
            .ThenBy(o => o.Metadata.NamespaceProperty, StringComparer.Ordinal)
            .ThenBy(o => o.Metadata.Name, StringComparer.Ordinal);

    private void ScheduleReplay(ChangeDispatcher<T>.Subscription subscription)
    {
        TimeSpan delay;
        lock (_gate)
        {
            if (subscription.IsReplayPending)
            {
                return;
            }

            subscription.IsReplayPending = true;
            delay = BaseReplayDelay * Math.Pow(2, Math.Min(subscription.Replays++, 7));
        }

        ITimer? timer = null;
        timer = _time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                Replay(subscription);
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void Replay(ChangeDispatcher<T>.Subscription subscription)
    {
        if (subscription.HasEnded)
        {
            return;
        }

        lock (_gate)
        {
            subscription.IsReplayPending = false;
            _dispatcher.Replay(subscription, key => _objects.Get(key) is not null, _objects.All());
        }

        _dispatcher.Dispatch();
    }

    private void Upsert(T obj, bool isOwn)
    {
        lock (_gate)
        {
            var key = ResourceKey.Of(obj);
            if (isOwn)
            {
                RecordWrite(key, obj);
            }

            Merge(key, obj);
            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

    private void Merge(ResourceKey key, T obj)
    {
        var stored = _objects.Get(key);
        if (IsNewer(key, stored, obj))
        {
            Set(key, stored, obj);
        }
    }

    private bool IsNewer(ResourceKey key, T? stored, T obj) =>
        stored is not null
            ? ResourceVersions.IsNewer(obj.Metadata.ResourceVersion, stored.Metadata.ResourceVersion)
            : !_tombstones.IsDeleted(key, obj.Metadata.Uid, obj.Metadata.ResourceVersion);

    private void RecordWrite(ResourceKey key, T written)
    {
        if (_ownWrites is { } own && !(own.TryGetValue(key, out var known) && known.IsLaterThan(written, written.Metadata.ResourceVersion)))
        {
            own[key] = new OwnWrite(written, null);
        }
    }

    private void Put(ResourceKey key, T obj, bool compare)
    {
        var stored = _objects.Get(key);
        if (
            stored is null
            || stored.Metadata.Uid != obj.Metadata.Uid
            || stored.Metadata.ResourceVersion != obj.Metadata.ResourceVersion
            || string.IsNullOrEmpty(obj.Metadata.ResourceVersion)
            || (compare && KubernetesJson.Serialize(stored) != KubernetesJson.Serialize(obj))
        )
        {
            Set(key, stored, obj);
        }
    }

    private void Set(ResourceKey key, T? stored, T obj)
    {
        if (obj.Metadata.DeletionTimestamp is not null && stored?.Metadata.DeletionTimestamp is null)
        {
            Interlocked.Increment(ref _removals);
        }

        _tombstones.Remove(key);
        _objects.Set(key, obj);
        if (stored is not null && stored.Metadata.Uid != obj.Metadata.Uid)
        {
            // The object was deleted and recreated, and no deletion was observed. Handlers receive a deletion and an addition.
            Interlocked.Increment(ref _removals);
            _dispatcher.Queue(new Change<T>(stored, null));
            stored = null;
        }

        _dispatcher.Queue(new Change<T>(stored, obj));
    }

    private void Remove(ResourceKey key, T? stored, string? uid, string? resourceVersion)
    {
        _tombstones.Add(key, uid, resourceVersion);
        if (stored is null)
        {
            return;
        }

        _objects.Remove(key);
        Interlocked.Increment(ref _removals);
        _dispatcher.Queue(new Change<T>(stored, null));
        _countChanged(_objects.Count);
    }

    /// <summary>A write of this process: the object of the response, or the deleted uid.</summary>
    private readonly record struct OwnWrite(T? Written, string? DeletedUid)
    {
        public bool IsLaterThan(T other, string? resourceVersion) =>
            Written is { } written
                ? ResourceVersions.IsNewer(written.Metadata.ResourceVersion, resourceVersion)
                : DeletedUid == other.Metadata.Uid;
    }
}
