using System.Collections.Concurrent;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// What objects looked like after this process last wrote them, or when it first saw them as desired. Tells a change by somebody else from
/// defaults and normalisation by the API server.
/// </summary>
internal sealed class AppliedMemory
{
    private const int SmallestPrune = 1024;

    private readonly ConcurrentDictionary<ObjectId, Entry> _entries = new();
    private readonly Lock _pruning = new();
    private int _pruneAt = SmallestPrune;

    public int Count => _entries.Count;

    /// <summary>The owned hash remembered for this incarnation and this desired content; null if there is none.</summary>
    public string? Find(ObjectId id, string? uid, string desiredHash) =>
        _entries.TryGetValue(id, out var entry) && entry.Uid == uid && entry.DesiredHash == desiredHash ? entry.OwnedHash : null;

    /// <param name="id">The object.</param>
    /// <param name="uid">Its incarnation.</param>
    /// <param name="desiredHash">What was desired.</param>
    /// <param name="ownedHash">What it looked like then.</param>
    /// <param name="stillThere">Whether the cache still has it; asked when there are many entries.</param>
    public void Remember(ObjectId id, string? uid, string desiredHash, string ownedHash, Func<bool> stillThere)
    {
        _entries[id] = new Entry(uid, desiredHash, ownedHash, stillThere);
        if (_entries.Count > _pruneAt)
        {
            Prune();
        }
    }

    public void Forget(ObjectId id) => _entries.TryRemove(id, out _);

    private void Prune()
    {
        lock (_pruning)
        {
            if (_entries.Count <= _pruneAt)
            {
                return;
            }

            foreach (var (id, entry) in _entries)
            {
                if (!entry.StillThere())
                {
                    _entries.TryRemove(id, out _);
                }
            }

            _pruneAt = Math.Max(SmallestPrune, _entries.Count * 2);
        }
    }

    internal readonly record struct ObjectId(string Cluster, ResourceKind Kind, ResourceKey Key);

    private sealed record Entry(string? Uid, string DesiredHash, string OwnedHash, Func<bool> StillThere);
}
