namespace KubeLB.Xds.Resources;

/// <summary>All resources of one node id and the streams that are to hear of their changes.</summary>
internal sealed class NodeResources
{
    private readonly Dictionary<string, TypeLog> _types = new(StringComparer.Ordinal);
    private readonly List<Action> _listeners = [];
    private long _sequence;

    /// <summary>Held while anything here is read or changed.</summary>
    public Lock Gate { get; } = new();

    /// <summary>
    /// Whether anybody has said what this node has. Until then a stream waits: an empty answer would take a proxy's
    /// configuration away while the control plane is still starting.
    /// </summary>
    public bool Known { get; private set; }

    /// <summary>The node was taken away and has not been given anything since; its streams still hear of the removals.</summary>
    public bool Removed { get; private set; }

    /// <summary>No longer in the cache: who got hold of it just before has to look there again.</summary>
    public bool Discarded { get; set; }

    public bool HasListeners => _listeners.Count > 0;

    /// <summary>The sequence number of the last change.</summary>
    public long Sequence => _sequence;

    public TypeLog? Find(string typeUrl) => _types.GetValueOrDefault(typeUrl);

    public void Listen(Action changed) => _listeners.Add(changed);

    public void StopListening(Action changed) => _listeners.Remove(changed);

    public bool Apply(ResourceTransaction transaction, long timestamp)
    {
        var changed = !Known;
        Known = true;
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
            Tell();
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

        Tell();
    }

    private void Tell()
    {
        foreach (var listener in _listeners)
        {
            listener();
        }
    }
}
