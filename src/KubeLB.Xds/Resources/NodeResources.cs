namespace KubeLB.Xds.Resources;

/// <summary>All resources of one node id and the listeners for their changes.</summary>
internal sealed class NodeResources
{
    private readonly Dictionary<string, TypeLog> _types = new(StringComparer.Ordinal);
    private readonly List<Action> _listeners = [];
    private long _sequence;

    /// <summary>The lock for all members.</summary>
    public Lock Gate { get; } = new();

    /// <summary>
    /// Whether the resources have been set. Until then streams wait: an empty response would remove the configuration of a proxy while the
    /// control plane is starting.
    /// </summary>
    public bool Initialized { get; private set; }

    /// <summary>Whether the node was removed and not set again; its streams still receive the removals.</summary>
    public bool Removed { get; private set; }

    /// <summary>Whether the node was removed from the cache: callers must look it up again.</summary>
    public bool Discarded { get; set; }

    public bool HasListeners => _listeners.Count > 0;

    /// <summary>The sequence number of the last change.</summary>
    public long Sequence => _sequence;

    public TypeLog? Find(string typeUrl) => _types.GetValueOrDefault(typeUrl);

    public void AddListener(Action changed) => _listeners.Add(changed);

    public void RemoveListener(Action changed) => _listeners.Remove(changed);

    public bool Apply(ResourceTransaction transaction, long timestamp)
    {
        var changed = !Initialized;
        Initialized = true;
        Removed = false;
        foreach (var (typeUrl, kept) in transaction.Replacements)
        {
            if (Find(typeUrl) is { } log)
            {
                foreach (var name in log.All.Select(r => r.Name).Where(name => !kept.Contains(name)).ToList())
                {
                    changed |= log.Put(name, null, ++_sequence, timestamp);
                }
            }
        }

        foreach (var ((typeUrl, name), resource) in transaction.Changes)
        {
            if (!_types.TryGetValue(typeUrl, out var log))
            {
                if (resource is null)
                {
                    continue;
                }

                _types[typeUrl] = log = new TypeLog();
            }

            changed |= log.Put(name, resource, ++_sequence, timestamp);
        }

        if (changed)
        {
            NotifyListeners();
        }

        return changed;
    }

    public void Clear(long timestamp)
    {
        Removed = true;
        foreach (var log in _types.Values)
        {
            foreach (var name in log.All.Select(r => r.Name).ToList())
            {
                log.Put(name, null, ++_sequence, timestamp);
            }
        }

        NotifyListeners();
    }

    private void NotifyListeners()
    {
        foreach (var listener in _listeners)
        {
            listener();
        }
    }
}

/// <summary>
/// The resources of one type of a node in the order of their last change. A stream stores the sequence number up to which it has read. A
/// resource that changed several times is listed once, with its latest state. Requires the lock of the node.
/// </summary>
internal sealed class TypeLog
{
    private const int MaxRemovals = 256;

    private readonly Dictionary<string, LinkedListNode<Change>> _byName = new(StringComparer.Ordinal);
    private readonly LinkedList<Change> _byAge = new();
    private readonly Queue<(string Name, long Sequence)> _removals = new();

    /// <summary>The number of existing resources.</summary>
    public int Count { get; private set; }

    /// <summary>Sequence number of the newest change.</summary>
    public long Newest => _byAge.Last?.Value.Sequence ?? CompactedTo;

    /// <summary>The sequence number up to which removals may be missing; a stream that has read less must compare all resources.</summary>
    public long CompactedTo { get; private set; }

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

    /// <summary>Sequence number of the last change of a resource; 0 if unknown.</summary>
    public long SequenceOf(string name) => _byName.TryGetValue(name, out var node) ? node.Value.Sequence : 0;

    /// <summary>Timestamp of the last change of a resource, by the clock of the cache; 0 if unknown.</summary>
    public long ChangedAt(string name) => _byName.TryGetValue(name, out var node) ? node.Value.Timestamp : 0;

    /// <summary>Names of resources that changed after <paramref name="sequence"/>, latest first.</summary>
    public IEnumerable<string> ChangedSince(long sequence)
    {
        for (var node = _byAge.Last; node is not null && node.Value.Sequence > sequence; node = node.Previous)
        {
            yield return node.Value.Name;
        }
    }

    /// <summary>Sets or removes a resource.</summary>
    /// <returns>Whether the content changed.</returns>
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
            Compact();
        }

        return true;
    }

    private void Compact()
    {
        while (_removals.Count > Math.Max(MaxRemovals, Count))
        {
            var (name, sequence) = _removals.Dequeue();
            if (_byName.TryGetValue(name, out var node) && node.Value.Sequence == sequence)
            {
                _byAge.Remove(node);
                _byName.Remove(name);
                CompactedTo = sequence;
            }
        }
    }

    private sealed record Change(string Name, VersionedResource? Resource, long Sequence, long Timestamp);
}
