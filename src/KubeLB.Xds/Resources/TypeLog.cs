namespace KubeLB.Xds.Resources;

/// <summary>
/// One node's resources of one type in the order of their last change. A stream remembers how far it has read; what changed
/// several times since stands here once, with its newest state, so a slow stream costs nothing. Guarded by the node's gate.
/// </summary>
internal sealed class TypeLog
{
    private const int RemovalsRemembered = 256;

    private readonly Dictionary<string, LinkedListNode<Change>> _byName = new(StringComparer.Ordinal);
    private readonly LinkedList<Change> _byAge = new();
    private readonly Queue<(string Name, long Sequence)> _removals = new();

    /// <summary>Number of resources that are there.</summary>
    public int Count { get; private set; }

    /// <summary>Sequence number of the newest change.</summary>
    public long Newest => _byAge.Last?.Value.Sequence ?? Forgotten;

    /// <summary>Removals up to this sequence number may be missing here; who has read less far compares everything.</summary>
    public long Forgotten { get; private set; }

    public IEnumerable<VersionedResource> All
    {
        get
        {
            foreach (var change in _byAge)
            {
                if (change.Resource is { } resource)
                {
                    yield return resource;
                }
            }
        }
    }

    public VersionedResource? Find(string name) => _byName.TryGetValue(name, out var node) ? node.Value.Resource : null;

    /// <summary>Sequence number of the resource's last change; 0 if nothing is known.</summary>
    public long SequenceOf(string name) => _byName.TryGetValue(name, out var node) ? node.Value.Sequence : 0;

    /// <summary>When the resource was last changed, as a timestamp of the cache's clock; 0 if nothing is known.</summary>
    public long ChangedAt(string name) => _byName.TryGetValue(name, out var node) ? node.Value.Timestamp : 0;

    /// <summary>Names changed after <paramref name="sequence"/>, newest first.</summary>
    public IEnumerable<string> ChangedSince(long sequence)
    {
        for (var node = _byAge.Last; node is not null && node.Value.Sequence > sequence; node = node.Previous)
        {
            yield return node.Value.Name;
        }
    }

    /// <summary>Whether the content differs from what was there, and so was taken.</summary>
    public bool Put(string name, VersionedResource? resource, long sequence, long timestamp)
    {
        var known = _byName.TryGetValue(name, out var node);
        if ((known ? node!.Value.Resource : null)?.Version == resource?.Version)
        {
            return false;
        }

        Count += (resource is null ? 0 : 1) - (known && node!.Value.Resource is not null ? 1 : 0);
        if (known)
        {
            _byAge.Remove(node!);
        }

        _byName[name] = _byAge.AddLast(new Change(name, resource, sequence, timestamp));
        if (resource is null)
        {
            _removals.Enqueue((name, sequence));
            ForgetOldRemovals();
        }

        return true;
    }

    private void ForgetOldRemovals()
    {
        while (_removals.Count > Math.Max(RemovalsRemembered, Count))
        {
            var (name, sequence) = _removals.Dequeue();
            if (_byName.TryGetValue(name, out var node) && node.Value.Sequence == sequence)
            {
                _byAge.Remove(node);
                _byName.Remove(name);
                Forgotten = sequence;
            }
        }
    }

    private sealed record Change(string Name, VersionedResource? Resource, long Sequence, long Timestamp);
}
