namespace KubeLB.Xds.Resources;

/// <summary>
/// What each node id is to have: the one source that all discovery streams serve from. A change costs what it changes, whatever
/// else the node has, and is told at once to the node's streams only. Thread-safe.
/// </summary>
/// <param name="time">The clock that changes are timed by; the system's if null.</param>
public sealed class ResourceCache(TimeProvider? time = null)
{
    private readonly Dictionary<string, NodeResources> _nodes = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Node ids that are here only because a client has said them.</summary>
    internal int Placeholders
    {
        get
        {
            lock (_gate)
            {
                return _nodes.Values.Count(n => !n.Known);
            }
        }
    }

    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>Node ids that have been given resources, be it none.</summary>
    public IReadOnlyCollection<string> Nodes
    {
        get
        {
            lock (_gate)
            {
                return [.. _nodes.Where(n => n.Value is { Known: true, Removed: false }).Select(n => n.Key)];
            }
        }
    }

    /// <summary>
    /// Changes a node's resources in one step. The first call, be it without a change, makes the node known; until then its streams
    /// wait, so that a control plane that has just started takes nothing away from a proxy.
    /// </summary>
    /// <returns>Whether anything differs from before.</returns>
    public bool Update(string node, Action<ResourceTransaction> change)
    {
        ArgumentException.ThrowIfNullOrEmpty(node);
        ArgumentNullException.ThrowIfNull(change);
        var transaction = new ResourceTransaction();
        change(transaction);
        return With(node, state => state.Apply(transaction, Time.GetTimestamp()));
    }

    /// <summary>Takes everything from a node. Streams that it still has are told, and it is forgotten after the last of them.</summary>
    /// <returns>Whether the node was known.</returns>
    public bool Remove(string node)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(node, out var state) || !state.Known || state.Removed)
            {
                return false;
            }

            lock (state.Gate)
            {
                state.Clear(Time.GetTimestamp());
                if (!state.HasListeners)
                {
                    Discard(node, state);
                }
            }

            return true;
        }
    }

    /// <summary>One resource, null if the node has none of this type and name.</summary>
    public VersionedResource? Find(string node, string typeUrl, string name) => Read(node, state => state.Find(typeUrl)?.Find(name));

    /// <summary>A node's resources of one type.</summary>
    public IReadOnlyList<VersionedResource> List(string node, string typeUrl) =>
        Read<IReadOnlyList<VersionedResource>>(node, state => [.. state.Find(typeUrl)?.All ?? []]) ?? [];

    /// <summary>How many resources of one type a node has.</summary>
    public int Count(string node, string typeUrl) => Read(node, state => state.Find(typeUrl)?.Count ?? 0);

    /// <summary>The node's resources, with <paramref name="changed"/> called at each change until <see cref="Detach"/>.</summary>
    internal NodeResources Attach(string node, Action changed) =>
        With(
            node,
            state =>
            {
                state.Listen(changed);
                return state;
            }
        );

    internal void Detach(string node, Action changed)
    {
        lock (_gate)
        {
            var state = _nodes[node];
            lock (state.Gate)
            {
                state.StopListening(changed);

                // Clients choose node ids: what only they have spoken of is not kept, nor what has been removed.
                if (!state.HasListeners && (!state.Known || state.Removed))
                {
                    Discard(node, state);
                }
            }
        }
    }

    // The cache's gate is not held while a node's is waited for: a node with much to send delays only itself.
    private T With<T>(string node, Func<NodeResources, T> use)
    {
        while (true)
        {
            NodeResources? state;
            lock (_gate)
            {
                if (!_nodes.TryGetValue(node, out state))
                {
                    _nodes[node] = state = new NodeResources();
                }
            }

            lock (state.Gate)
            {
                if (!state.Discarded)
                {
                    return use(state);
                }
            }
        }
    }

    private void Discard(string node, NodeResources state)
    {
        state.Discarded = true;
        _nodes.Remove(node);
    }

    private T? Read<T>(string node, Func<NodeResources, T> read)
    {
        NodeResources? state;
        lock (_gate)
        {
            if (!_nodes.TryGetValue(node, out state))
            {
                return default;
            }
        }

        lock (state.Gate)
        {
            return read(state);
        }
    }
}
