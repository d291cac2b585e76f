using Google.Protobuf;

namespace KubeLB.Xds.Resources;

/// <summary>
/// The resources of each node id, which all discovery streams serve. The cost of an update depends on the number of changes only, and only
/// the streams of the node are notified. Thread-safe.
/// </summary>
/// <param name="time">The clock for timestamps of changes; the system clock if null.</param>
public sealed class ResourceCache(TimeProvider? time = null)
{
    private readonly Dictionary<string, NodeResources> _nodes = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The number of node ids without resources that clients have requested.</summary>
    internal int Placeholders
    {
        get
        {
            lock (_gate)
            {
                return _nodes.Values.Count(n => !n.Initialized);
            }
        }
    }

    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>Node ids whose resources have been set, including empty ones.</summary>
    public IReadOnlyCollection<string> Nodes
    {
        get
        {
            lock (_gate)
            {
                return [.. _nodes.Where(n => n.Value is { Initialized: true, Removed: false }).Select(n => n.Key)];
            }
        }
    }

    /// <summary>
    /// Changes the resources of a node atomically. The first call, even without a change, initializes the node; until then its streams
    /// wait, so that a starting control plane does not remove the configuration of a proxy.
    /// </summary>
    /// <returns>Whether anything changed.</returns>
    public bool Update(string node, Action<ResourceTransaction> change)
    {
        ArgumentException.ThrowIfNullOrEmpty(node);
        ArgumentNullException.ThrowIfNull(change);
        var transaction = new ResourceTransaction();
        change(transaction);
        return With(node, state => state.Apply(transaction, Time.GetTimestamp()));
    }

    /// <summary>Removes a node. Its open streams receive the removals, and it is discarded after the last stream ends.</summary>
    /// <returns>Whether the node existed.</returns>
    public bool Remove(string node)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(node, out var state) || !state.Initialized || state.Removed)
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

    /// <summary>A resource; null if it does not exist.</summary>
    public VersionedResource? Find(string node, string typeUrl, string name) => Read(node, state => state.Find(typeUrl)?.Find(name));

    /// <summary>The resources of one type of a node.</summary>
    public IReadOnlyList<VersionedResource> List(string node, string typeUrl) =>
        Read<IReadOnlyList<VersionedResource>>(node, state => [.. state.Find(typeUrl)?.All ?? []]) ?? [];

    /// <summary>The number of resources of one type of a node.</summary>
    public int Count(string node, string typeUrl) => Read(node, state => state.Find(typeUrl)?.Count ?? 0);

    /// <summary>Adds a listener that is called at each change of the node until <see cref="Detach"/>, and returns its resources.</summary>
    internal NodeResources Attach(string node, Action changed) =>
        With(
            node,
            state =>
            {
                state.AddListener(changed);
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
                state.RemoveListener(changed);

                // Clients choose node ids. To limit memory, a node that was never set or was removed is discarded when its last stream
                // ends.
                if (!state.HasListeners && (!state.Initialized || state.Removed))
                {
                    Discard(node, state);
                }
            }
        }
    }

    // The lock of the cache is not held while waiting for that of a node, so that a busy node does not block others.
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

/// <summary>
/// An atomic change of the resources of a node: streams read either all changes or none, so that no sent resource refers to a missing one.
/// If a resource is changed several times, the last change is used.
/// </summary>
public sealed class ResourceTransaction
{
    private readonly Dictionary<(string TypeUrl, string Name), VersionedResource?> _changes = [];
    private readonly List<(string TypeUrl, HashSet<string> Kept)> _replacements = [];

    internal ResourceTransaction() { }

    internal IReadOnlyDictionary<(string TypeUrl, string Name), VersionedResource?> Changes => _changes;

    internal IReadOnlyList<(string TypeUrl, HashSet<string> Kept)> Replacements => _replacements;

    /// <summary>Adds or replaces a resource. Equal content is not a change.</summary>
    /// <exception cref="ArgumentException">The name is empty or <c>*</c>.</exception>
    public ResourceTransaction Set(string name, IMessage message) => Set(VersionedResource.Create(name, message));

    /// <summary>As <see cref="Set(string, IMessage)"/>, for an encoded resource, for example one that many nodes share.</summary>
    public ResourceTransaction Set(VersionedResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        _changes[(resource.TypeUrl, resource.Name)] = resource;
        return this;
    }

    /// <summary>Removes a resource, if it exists.</summary>
    public ResourceTransaction Remove(string typeUrl, string name)
    {
        _changes[(typeUrl, name)] = null;
        return this;
    }

    /// <summary>
    /// Replaces all resources of a type. Compares every resource of the type; for a few changes use <see cref="Set(string, IMessage)"/> and
    /// <see cref="Remove"/>.
    /// </summary>
    /// <exception cref="ArgumentException">A resource has another type.</exception>
    public ResourceTransaction Replace(string typeUrl, IEnumerable<VersionedResource> resources)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            if (resource.TypeUrl != typeUrl)
            {
                throw new ArgumentException($"Resource {resource.Name} has type {resource.TypeUrl}, not {typeUrl}.", nameof(resources));
            }

            kept.Add(resource.Name);
            Set(resource);
        }

        _replacements.Add((typeUrl, kept));
        return this;
    }
}
