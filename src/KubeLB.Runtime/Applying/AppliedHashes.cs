using System.Collections.Concurrent;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Hashes of the owned fields of objects, computed when this process last wrote an object or found it up to date. They distinguish an
/// external change from defaults and normalization by the API server.
/// </summary>
internal sealed class AppliedHashes
{
    private const int MinPruneThreshold = 1024;

    private readonly ConcurrentDictionary<ObjectId, Entry> _entries = new();
    private readonly Lock _pruning = new();
    private int _pruneThreshold = MinPruneThreshold;

    public int Count => _entries.Count;

    /// <summary>The hash stored for this uid and this desired content; null if none is stored.</summary>
    public string? Find(ObjectId id, string? uid, string desiredHash) =>
        _entries.TryGetValue(id, out var entry) && entry.Uid == uid && entry.DesiredHash == desiredHash ? entry.OwnedHash : null;

    /// <param name="id">The object.</param>
    /// <param name="uid">The uid of the object.</param>
    /// <param name="desiredHash">The hash of the desired content.</param>
    /// <param name="ownedHash">The hash of the owned fields of the object.</param>
    /// <param name="isCached">Whether the object is still cached; evaluated when entries are pruned.</param>
    public void Set(ObjectId id, string? uid, string desiredHash, string ownedHash, Func<bool> isCached)
    {
        _entries[id] = new Entry(uid, desiredHash, ownedHash, isCached);
        if (_entries.Count > _pruneThreshold)
        {
            Prune();
        }
    }

    public void Remove(ObjectId id) => _entries.TryRemove(id, out _);

    private void Prune()
    {
        lock (_pruning)
        {
            if (_entries.Count <= _pruneThreshold)
            {
                return;
            }

            foreach (var (id, entry) in _entries)
            {
                if (!entry.IsCached())
                {
                    _entries.TryRemove(id, out _);
                }
            }

            _pruneThreshold = Math.Max(MinPruneThreshold, _entries.Count * 2);
        }
    }

    internal readonly record struct ObjectId(string Cluster, ResourceKind Kind, ResourceKey Key);

    private sealed record Entry(string? Uid, string DesiredHash, string OwnedHash, Func<bool> IsCached);
}
