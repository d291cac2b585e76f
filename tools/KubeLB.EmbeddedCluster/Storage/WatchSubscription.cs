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
        IReadOnlyList<WatchEvent> missed,
        Action<WatchSubscription> unsubscribe
    )
    {
        _namespace = @namespace;
        _unsubscribe = unsubscribe;
        Initial = initial;
        Missed = missed;
    }

    /// <summary>The objects at the start of the watch.</summary>
    public TableSnapshot Initial { get; }

    /// <summary>The changes between the requested resourceVersion and the start of the watch.</summary>
    public IReadOnlyList<WatchEvent> Missed { get; }

    public ChannelReader<WatchEvent> Events => _events.Reader;

    /// <summary>Called by the reader for each consumed event.</summary>
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

    /// <summary>Ends the stream.</summary>
    internal void End() => _events.Writer.TryComplete();

    public void Dispose() => _unsubscribe(this);
}
