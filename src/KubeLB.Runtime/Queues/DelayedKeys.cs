namespace KubeLB.Runtime.Queues;

/// <summary>Keys that are added to the queue after a delay, with one timer for all. Uses the monotonic clock.</summary>
internal sealed class DelayedKeys<TKey> : IDisposable
    where TKey : notnull
{
    private static readonly TimeSpan MaxTimer = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action<TKey> _due;
    private readonly ITimer _timer;
    private readonly long _start;
    private readonly Dictionary<TKey, long> _dueAt = [];
    private readonly PriorityQueue<TKey, long> _order = new();
    private bool _disposed;

    public DelayedKeys(TimeProvider time, Action<TKey> due)
    {
        _time = time;
        _due = due;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // Ticks of 100 ns since the start.
    private long Now => _time.GetElapsedTime(_start).Ticks;

    public void Add(TKey key, TimeSpan delay)
    {
        lock (_gate)
        {
            var at = Now + delay.Ticks;
            if (_disposed || (_dueAt.TryGetValue(key, out var earlier) && earlier <= at))
            {
                return;
            }

            // The previous, later entry of the key remains in the queue and is skipped when it is dequeued.
            _dueAt[key] = at;
            _order.Enqueue(key, at);
            Schedule();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _dueAt.Clear();
            _order.Clear();
        }

        _timer.Dispose();
    }

    private void Fire()
    {
        var due = new List<TKey>();
        lock (_gate)
        {
            var now = Now;
            while (_order.TryPeek(out var key, out var at) && at <= now)
            {
                _order.Dequeue();
                if (_dueAt.TryGetValue(key, out var valid) && valid == at)
                {
                    _dueAt.Remove(key);
                    due.Add(key);
                }
            }

            Schedule();
        }

        due.ForEach(_due);
    }

    private void Schedule()
    {
        if (_disposed || !_order.TryPeek(out _, out var next))
        {
            return;
        }

        // Timers have a resolution of 1 ms; rounding down would fire early and spin until the key is due.
        var wait = TimeSpan.FromMilliseconds(Math.Ceiling(TimeSpan.FromTicks(Math.Max(0, next - Now)).TotalMilliseconds));
        _timer.Change(wait < MaxTimer ? wait : MaxTimer, Timeout.InfiniteTimeSpan);
    }
}
