namespace KubeLB.Runtime.Events;

/// <summary>
/// Knows which Events were sent, so that a repetition raises a count, and how much each object may still say: a token bucket, with the
/// figures of client-go's EventSourceObjectSpamFilter. Forgets the longest unused when it holds too many. For one thread, but for
/// <see cref="NextStamp"/>'s caller being that thread, too.
/// </summary>
internal sealed class EventMemory(TimeProvider time)
{
    /// <summary>Events that an object may say at once.</summary>
    public const int Burst = 25;

    /// <summary>Objects, and Events, that are remembered.</summary>
    public const int Limit = 4096;

    /// <summary>Until an object may say one more.</summary>
    public static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);

    private readonly Recent<(string Uid, string Name, EventType Type, string Reason, string Message), Entry> _entries = new(Limit);
    private readonly Recent<(string Kind, string Namespace, string Name, string Uid), Bucket> _buckets = new(Limit);
    private long _stamp;

    /// <summary>Counts an Event.</summary>
    /// <returns>What is known of it with this time counted in; null if the object has said too much.</returns>
    public Entry? Admit(RecordedEvent recorded)
    {
        var now = time.GetUtcNow();
        var about = recorded.About;
        if (!_buckets.GetOrAdd((about.Kind, about.Namespace, about.Name, about.Uid), () => new Bucket(now)).TryTake(now))
        {
            return null;
        }

        var entry = _entries.GetOrAdd(
            (about.Uid, $"{about.Kind}/{about.Namespace}/{about.Name}", recorded.Type, recorded.Reason, recorded.Message),
            () => new Entry { First = now }
        );
        entry.Count++;
        entry.Last = now;
        return entry;
    }

    /// <summary>Nanoseconds since 1970, never the same twice.</summary>
    public long NextStamp() => _stamp = Math.Max(_stamp + 1, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100);

    /// <summary>One Event as it stands at the API server.</summary>
    internal sealed class Entry
    {
        /// <summary>Its name; null until it is there.</summary>
        public string? Name { get; set; }

        public DateTimeOffset First { get; set; }

        public DateTimeOffset Last { get; set; }

        public int Count { get; set; }

        /// <summary>It is gone: the latest time is the first of a new one.</summary>
        public void Restart()
        {
            Name = null;
            First = Last;
            Count = 1;
        }
    }

    private sealed class Bucket(DateTimeOffset since)
    {
        private double _tokens = Burst;
        private DateTimeOffset _since = since;

        public bool TryTake(DateTimeOffset now)
        {
            _tokens = Math.Min(Burst, _tokens + ((now - _since) / Refill));
            _since = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
