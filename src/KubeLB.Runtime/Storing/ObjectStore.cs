using k8s;
using k8s.Models;
using KubeLB.Runtime.Applying;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// The objects of one informer and the rules by which news from watches and our own writes, arriving in any order, are merged: the later
/// resourceVersion wins, and what was deleted stays deleted. A complete list replaces all of it, because an API server whose storage was
/// restored from a backup shows earlier versions, and incarnations that had been deleted.
/// </summary>
internal sealed class ObjectStore<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const int TombstoneCapacity = 4096;

    /// <summary>How soon a handler that failed gets everything again; twice as late each time it fails, up to 128 times that.</summary>
    private static readonly TimeSpan FirstReplay = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly IndexedObjects<T> _objects;
    private readonly Tombstones _tombstones = new(TombstoneCapacity);
    private readonly ChangeDispatcher<T> _dispatcher;
    private readonly Action<int> _countChanged;
    private long _removals;

    /// <summary>What we wrote since the list that is being read was asked for; null while none is.</summary>
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
                ReplayLater(subscription);
                handlerFailed(e);
            }
        );
        _countChanged = countChanged;
    }

    /// <summary>How many incarnations of objects have been taken out so far.</summary>
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
    /// <param name="lost">Called with the key of an object whose change the handler failed on; null to do nothing.</param>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey>? lost = null)
    {
        IDisposable subscription;
        lock (_gate)
        {
            subscription = _dispatcher.Subscribe(handler, lost, _objects.All());
        }

        _dispatcher.Dispatch();
        return subscription;
    }

    /// <summary>An object as a watch event shows it.</summary>
    public void Upsert(T obj) => Upsert(obj, isOwn: false);

    /// <summary>An object as the answer to a write of our own shows it.</summary>
    public void Written(T obj) => Upsert(obj, isOwn: true);

    /// <summary>A DELETED event: its object carries the resourceVersion of the deletion.</summary>
    public void Delete(T last)
    {
        lock (_gate)
        {
            var key = ResourceKey.Of(last);
            var stored = _objects.Get(key);
            if (stored is null || !ResourceVersions.IsNewer(stored.Metadata.ResourceVersion, last.Metadata.ResourceVersion))
            {
                // The uid is not buried with it: an object that only left the selector may come back.
                Remove(key, stored, null, last.Metadata.ResourceVersion);
            }
        }

        _dispatcher.Dispatch();
    }

    /// <summary>We deleted this incarnation ourselves: whatever its watch still has to say about it is old.</summary>
    public void DeleteIncarnation(T deleted)
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
    /// The API server's answer to a write shows an object, or that there is none. Later news of it, or earlier ones if they contradict what
    /// the write was computed from, enter the store.
    /// </summary>
    /// <param name="key">The object.</param>
    /// <param name="seen">What the store showed when the write was computed; null for nothing.</param>
    /// <param name="live">What the answer shows; null for nothing.</param>
    /// <param name="contradicted">Called if the answer contradicts the store, which has not moved on since; must be quick.</param>
    public void Correct(ResourceKey key, T? seen, T? live, Action contradicted)
    {
        lock (_gate)
        {
            var contradicts = false;
            var stored = _objects.Get(key);
            var isAsSeen = IsSame(stored, seen);
            if (live is not null)
            {
                Record(key, live);
                contradicts =
                    isAsSeen
                    && (IsNews(key, stored, live) ? stored is not null && stored.Metadata.Uid != live.Metadata.Uid : !IsSame(stored, live));
                if (contradicts)
                {
                    Set(key, stored, live);
                }
                else
                {
                    Merge(key, live);
                }
            }
            else if (seen is not null && isAsSeen)
            {
                contradicts = true;
                Remove(key, stored, seen.Metadata.Uid, seen.Metadata.ResourceVersion);
            }

            if (contradicts)
            {
                contradicted();
            }

            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

    /// <summary>Calls <paramref name="action"/> if the store shows what it showed before; it must be quick.</summary>
    public void IfStill(ResourceKey key, T? seen, Action action)
    {
        lock (_gate)
        {
            if (IsSame(_objects.Get(key), seen))
            {
                action();
            }
        }
    }

    /// <summary>Whether both are nothing, or the same version of one incarnation.</summary>
    private static bool IsSame(T? one, T? other) =>
        one is null || other is null
            ? one is null && other is null
            : one.Metadata.Uid == other.Metadata.Uid && one.Metadata.ResourceVersion == other.Metadata.ResourceVersion;

    /// <summary>A list is about to be read: from now on our own writes may be later than it.</summary>
    public void BeginList()
    {
        lock (_gate)
        {
            _ownWrites = [];
        }
    }

    /// <summary>
    /// Replaces everything by a complete list: what is missing from it is deleted, and what it shows counts even if an earlier or the same
    /// version of it was stored or buried. Only our own writes since <see cref="BeginList"/> may be later.
    /// </summary>
    /// <param name="listed">The objects.</param>
    /// <param name="resourceVersion">The version of the list.</param>
    /// <param name="undecodable">Keys that exist but could not be read: what is stored of them stays.</param>
    /// <param name="compare">
    /// Compares also the content of objects whose version is the stored one: in a storage that was put back, a version may come twice.
    /// </param>
    /// <param name="swapped">Called when the list is in the store and before any handler is; must be quick.</param>
    public void Replace(
        IReadOnlyCollection<T> listed,
        string resourceVersion,
        IReadOnlySet<ResourceKey> undecodable,
        bool compare = false,
        Action? swapped = null
    )
    {
        lock (_gate)
        {
            var own = _ownWrites ?? [];
            _ownWrites = null;
            _tombstones.Listed(resourceVersion);
            var present = new HashSet<ResourceKey>(listed.Count);
            foreach (var obj in listed)
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
            swapped?.Invoke();
        }

        _dispatcher.Dispatch();
    }

    private void ReplayLater(ChangeDispatcher<T>.Subscription subscription)
    {
        TimeSpan delay;
        lock (_gate)
        {
            if (subscription.IsReplayPending)
            {
                return;
            }

            subscription.IsReplayPending = true;
            delay = FirstReplay * Math.Pow(2, Math.Min(subscription.Replays++, 7));
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
                Record(key, obj);
            }

            Merge(key, obj);
            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

    private void Merge(ResourceKey key, T obj)
    {
        var stored = _objects.Get(key);
        if (IsNews(key, stored, obj))
        {
            Set(key, stored, obj);
        }
    }

    private bool IsNews(ResourceKey key, T? stored, T obj) =>
        stored is not null
            ? ResourceVersions.IsNewer(obj.Metadata.ResourceVersion, stored.Metadata.ResourceVersion)
            : !_tombstones.IsDead(key, obj.Metadata.Uid, obj.Metadata.ResourceVersion);

    private void Record(ResourceKey key, T written)
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
            || (compare && !ResourceJson.AreSame(stored, obj))
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
            // Deleted and created again while nobody watched: two changes, so that nobody mistakes one incarnation for the other.
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

    /// <summary>A write of our own: an object as it was answered, or the uid that we deleted.</summary>
    private readonly record struct OwnWrite(T? Written, string? DeletedUid)
    {
        public bool IsLaterThan(T read, string? resourceVersion) =>
            Written is { } written
                ? ResourceVersions.IsNewer(written.Metadata.ResourceVersion, resourceVersion)
                : DeletedUid == read.Metadata.Uid;
    }
}
