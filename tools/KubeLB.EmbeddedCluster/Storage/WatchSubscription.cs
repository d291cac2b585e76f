using System.Threading.Channels;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>A live watch on one table. Events arrive in the order of their resourceVersions.</summary>
internal sealed class WatchSubscription : IDisposable
{
    /// <summary>A watcher this far behind is cut off, as Kubernetes does: it resumes by itself.</summary>
    private const int MaxBacklog = 200_000;

    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<WatchSubscription> _unsubscribe;
    private readonly string? _namespace;
    private int _backlog;

    internal WatchSubscription(
        string? @namespace,
        TableSnapshot initial,
        IReadOnlyList<WatchEvent> missed,
        Action<WatchSubscription> unsubscribe
    )
    {
        _namespace = @namespace;
        _unsubscribe = unsubscribe;
        Initial = initial;
        Missed = missed;
    }

    /// <summary>What existed when the watch began.</summary>
    public TableSnapshot Initial { get; }

    /// <summary>The changes between the resourceVersion asked for and the start of the watch.</summary>
    public IReadOnlyList<WatchEvent> Missed { get; }

    public ChannelReader<WatchEvent> Events => _events.Reader;

    /// <summary>Called by the reader for each event it took.</summary>
    public void Taken() => Interlocked.Decrement(ref _backlog);

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

    /// <summary>Ends the stream: the client sees it close.</summary>
    internal void End() => _events.Writer.TryComplete();

    public void Dispose() => _unsubscribe(this);
}
