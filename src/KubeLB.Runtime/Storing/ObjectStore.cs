using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// The objects of one informer and the rules by which news from lists, watches and our own writes, arriving in any order, are merged:
/// the later resourceVersion wins, and what was deleted stays deleted.
/// </summary>
internal sealed class ObjectStore<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const int TombstoneCapacity = 4096;

    private readonly Lock _gate = new();
    private readonly IndexedObjects<T> _objects;
    private readonly Tombstones _tombstones = new(TombstoneCapacity);
    private readonly ChangeDispatcher<T> _dispatcher;
    private readonly Action<int> _countChanged;

    public ObjectStore(
        IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> indexes,
        Action<string, ResourceKey, Exception> indexFailed,
        Action<Exception> handlerFailed,
        Action<int> countChanged)
    {
        _objects = new IndexedObjects<T>(indexes, indexFailed);
        _dispatcher = new ChangeDispatcher<T>(handlerFailed);
        _countChanged = countChanged;
    }

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

    public IDisposable Subscribe(Action<Change<T>> handler)
    {
        IDisposable subscription;
        lock (_gate)
        {
            subscription = _dispatcher.Subscribe(handler, _objects.All());
        }

        _dispatcher.Dispatch();
        return subscription;
    }

    /// <summary>An object as a watch event or the answer to a write shows it.</summary>
    public void Upsert(T obj)
    {
        lock (_gate)
        {
            Merge(ResourceKey.Of(obj), obj);
            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

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
            var stored = _objects.Get(key);
            if (stored is null || stored.Metadata.Uid == deleted.Metadata.Uid)
            {
                Remove(key, stored, deleted.Metadata.Uid, ResourceVersions.Later(stored?.Metadata.ResourceVersion, deleted.Metadata.ResourceVersion));
            }
        }

        _dispatcher.Dispatch();
    }

    /// <summary>Swaps in a complete list. What is missing from it counts as deleted, unless it is newer than the list.</summary>
    /// <param name="listed">The objects.</param>
    /// <param name="resourceVersion">The version of the list.</param>
    /// <param name="undecodable">Keys that exist but could not be read: what is stored of them stays.</param>
    public void Replace(IReadOnlyCollection<T> listed, string resourceVersion, IReadOnlySet<ResourceKey> undecodable)
    {
        lock (_gate)
        {
            var present = new HashSet<ResourceKey>(listed.Count);
            foreach (var obj in listed)
            {
                var key = ResourceKey.Of(obj);
                present.Add(key);
                Merge(key, obj);
            }

            foreach (var key in _objects.Keys.Where(k => !present.Contains(k) && !undecodable.Contains(k)).ToArray())
            {
                var stored = _objects.Get(key)!;
                if (!ResourceVersions.IsNewer(stored.Metadata.ResourceVersion, resourceVersion))
                {
                    Remove(key, stored, null, resourceVersion);
                }
            }

            _countChanged(_objects.Count);
        }

        _dispatcher.Dispatch();
    }

    /// <summary>The kind itself is gone, and every object with it.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (var key in _objects.Keys.ToArray())
            {
                var stored = _objects.Get(key)!;
                Remove(key, stored, stored.Metadata.Uid, stored.Metadata.ResourceVersion);
            }
        }

        _dispatcher.Dispatch();
    }

    private void Merge(ResourceKey key, T obj)
    {
        var stored = _objects.Get(key);
        if (stored is not null
            ? !ResourceVersions.IsNewer(obj.Metadata.ResourceVersion, stored.Metadata.ResourceVersion)
            : _tombstones.IsDead(key, obj.Metadata.Uid, obj.Metadata.ResourceVersion))
        {
            return;
        }

        _tombstones.Remove(key);
        _objects.Set(key, obj);
        if (stored is not null && stored.Metadata.Uid != obj.Metadata.Uid)
        {
            // Deleted and created again while nobody watched: two changes, so that nobody mistakes one incarnation for the other.
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
        _dispatcher.Queue(new Change<T>(stored, null));
        _countChanged(_objects.Count);
    }
}
