using System.Threading.Channels;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>A watch on one table. Events are ordered by resourceVersion.</summary>
internal sealed class WatchSubscription : IDisposable
{
    /// <summary>Maximum number of pending events; a slower watch is closed, as in Kubernetes, and the client resumes it.</summary>
    private const int MaxBacklog = 200_000;

    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<WatchSubscription> _unsubscribe;
    private readonly string? _namespace;
    private int _backlog;

    internal WatchSubscription(
        string? @namespace,
        TableSnapshot initial,
        IReadOnlyList<WatchEvent> replay,
        Action<WatchSubscription> unsubscribe
    )
    {
        _namespace = @namespace;
        _unsubscribe = unsubscribe;
        Initial = initial;
        Replay = replay;
    }

    /// <summary>The objects at the start of the watch.</summary>
    public TableSnapshot Initial { get; }

    /// <summary>The changes between the requested resourceVersion and the start of the watch.</summary>
    public IReadOnlyList<WatchEvent> Replay { get; }

    public ChannelReader<WatchEvent> Events => _events.Reader;

    /// <summary>Called by the reader for each consumed event.</summary>
    public void MarkConsumed() => Interlocked.Decrement(ref _backlog);

    internal void Offer(WatchEvent change)
    {
        if (_namespace is not null && change.Object.Namespace != _namespace)
        {
            return;
        }
        if (Interlocked.Increment(ref _backlog) > MaxBacklog)
        {
            End();
            return;
        }
        _events.Writer.TryWrite(change);
    }

    /// <summary>Ends the stream.</summary>
    internal void End() => _events.Writer.TryComplete();

    public void Dispose() => _unsubscribe(this);
}

/// <summary>The last changes of one table, for watches that resume. Protected by the store's lock.</summary>
internal sealed class WatchHistory(int capacity, long startRevision)
{
    private WatchEvent[] _events = new WatchEvent[Math.Min(capacity, 64)];
    private int _first;
    private int _count;

    /// <summary>The oldest resourceVersion that a watch can resume from.</summary>
    public long OldestResumable { get; private set; } = startRevision;

    public void Add(WatchEvent change)
    {
        if (_count == _events.Length && _events.Length < capacity)
        {
            Grow();
        }
        if (_count == _events.Length)
        {
            OldestResumable = _events[_first].Revision;
            _events[_first] = change;
            _first = (_first + 1) % _events.Length;
            return;
        }
        _events[(_first + _count) % _events.Length] = change;
        _count++;
    }

    /// <summary>Changes after <paramref name="revision"/>, oldest first.</summary>
    public IEnumerable<WatchEvent> After(long revision)
    {
        for (var i = 0; i < _count; i++)
        {
            var change = _events[(_first + i) % _events.Length];
            if (change.Revision > revision)
            {
                yield return change;
            }
        }
    }

    /// <summary>Removes all changes up to <paramref name="revision"/>, as etcd compaction does.</summary>
    public void Compact(long revision)
    {
        while (_count > 0 && _events[_first].Revision <= revision)
        {
            _events[_first] = null!;
            _first = (_first + 1) % _events.Length;
            _count--;
        }
        OldestResumable = Math.Max(OldestResumable, revision);
    }

    private void Grow()
    {
        var larger = new WatchEvent[Math.Min(capacity, _events.Length * 2)];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = _events[(_first + i) % _events.Length];
        }
        _events = larger;
        _first = 0;
    }
}

/// <summary>One committed change of one object.</summary>
/// <param name="Type">The type of the change.</param>
/// <param name="Object">The object after the change; for a deletion the last state with the resourceVersion of the deletion.</param>
/// <param name="Previous">The object before the change.</param>
internal sealed record WatchEvent(ChangeType Type, StoredObject Object, StoredObject? Previous)
{
    public long Revision => Object.Revision;
}

internal enum ChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>A change with its table, for followers of the whole store.</summary>
internal readonly record struct StoreChange(ResourceTable Table, WatchEvent Event);
