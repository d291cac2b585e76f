using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KubeLB.Sandbox.Proxies;

namespace KubeLB.Sandbox.Tests.Support;

/// <summary>
/// The current snapshot per node id. A reader gets the current snapshot first and then the latest one after each change; intermediate
/// states are skipped.
/// </summary>
internal sealed class SnapshotCache
{
    private readonly ConcurrentDictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private TaskCompletionSource _nodesChanged = NewSignal();

    /// <summary>Node ids that have a snapshot.</summary>
    public IReadOnlyCollection<string> Nodes => [.. _nodes.Where(n => n.Value.Present).Select(n => n.Key)];

    /// <summary>The node's snapshot; <see cref="Snapshot.Empty"/> if it has none.</summary>
    public Snapshot Get(string node) => _nodes.TryGetValue(node, out var state) ? state.Snapshot : Snapshot.Empty;

    /// <summary>Replaces the node's snapshot. Readers are not notified if the content is equal.</summary>
    public void Set(string node, Snapshot snapshot) => Exchange(node, snapshot, present: true);

    /// <summary>Removes the node; its readers get the empty snapshot.</summary>
    public void Remove(string node)
    {
        if (_nodes.ContainsKey(node))
        {
            Exchange(node, Snapshot.Empty, present: false);
        }
    }

    /// <summary>The node's snapshot, initially and after each change, until cancelled.</summary>
    public async IAsyncEnumerable<Snapshot> WatchAsync(string node, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? seen = null;
        while (true)
        {
            var state = _nodes.GetOrAdd(node, static _ => Node.Absent());
            if (state.Snapshot.Version != seen)
            {
                seen = state.Snapshot.Version;
                yield return state.Snapshot;
                continue;
            }

            await state.Changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The set of <see cref="Nodes"/>, initially and after each change.</summary>
    public async IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _nodesChanged);
            yield return Nodes;
            await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Exchange(string node, Snapshot snapshot, bool present)
    {
        lock (_gate)
        {
            // A reader can add its placeholder at any time: it must be notified.
            var old = _nodes.GetOrAdd(node, static _ => Node.Absent());
            if (old.Present == present && old.Snapshot.Version == snapshot.Version)
            {
                return;
            }

            _nodes[node] = new Node(snapshot, present, NewSignal());
            old.Changed.TrySetResult();
            if (old.Present != present)
            {
                Interlocked.Exchange(ref _nodesChanged, NewSignal()).TrySetResult();
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Node(Snapshot Snapshot, bool Present, TaskCompletionSource Changed)
    {
        public static Node Absent() => new(Snapshot.Empty, Present: false, NewSignal());
    }
}

/// <summary>Proxy configuration from a cache.</summary>
internal sealed class SnapshotCacheSource(SnapshotCache cache) : IProxyConfigurationSource
{
    public IAsyncEnumerable<IReadOnlyCollection<string>> WatchNodesAsync(CancellationToken cancellationToken) =>
        cache.WatchNodesAsync(cancellationToken);

    public IAsyncEnumerable<Snapshot> WatchAsync(string node, CancellationToken cancellationToken) =>
        cache.WatchAsync(node, cancellationToken);
}
