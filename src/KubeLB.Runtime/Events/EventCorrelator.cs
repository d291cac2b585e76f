using KubeLB.Runtime.Controllers;

namespace KubeLB.Runtime.Events;

/// <summary>
/// Counts repeated Events and limits the rate of Events per object with a token bucket, with the values of client-go's
/// EventSourceObjectSpamFilter. Evicts the least recently used entries. Not thread-safe.
/// </summary>
internal sealed class EventCorrelator(TimeProvider time)
{
    /// <summary>The number of Events of an object that may be sent in a burst.</summary>
    public const int Burst = 25;

    /// <summary>The maximum number of cached objects, and of cached Events.</summary>
    public const int CacheSize = 4096;

    /// <summary>The time after which one more Event of an object may be sent.</summary>
    public static readonly TimeSpan RefillInterval = TimeSpan.FromMinutes(5);

    private readonly LruCache<(string Uid, string Name, EventType Type, string Reason, string Message), Entry> _entries = new(CacheSize);
    private readonly LruCache<(string Kind, string Namespace, string Name, string Uid), TokenBucket> _buckets = new(CacheSize);
    private long _stamp;

    /// <summary>Counts an Event.</summary>
    /// <returns>The entry with the updated count; null if the object exceeded its rate limit.</returns>
    public Entry? Admit(RecordedEvent recorded)
    {
        var now = time.GetUtcNow();
        var subject = recorded.Subject;
        if (
            !_buckets
                .GetOrAdd((subject.Kind, subject.Namespace, subject.Name, subject.Uid), () => new TokenBucket(Burst, RefillInterval, time))
                .TryTake()
        )
        {
            return null;
        }

        var entry = _entries.GetOrAdd(
            (subject.Uid, $"{subject.Kind}/{subject.Namespace}/{subject.Name}", recorded.Type, recorded.Reason, recorded.Message),
            () => new Entry { First = now }
        );
        entry.Count++;
        entry.Last = now;
        return entry;
    }

    /// <summary>A unique, increasing number: nanoseconds since 1970.</summary>
    public long NextStamp() => _stamp = Math.Max(_stamp + 1, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100);

    /// <summary>A series of equal Events, stored as one Event in the API server.</summary>
    internal sealed class Entry
    {
        /// <summary>Its name; null until it is created.</summary>
        public string? Name { get; set; }

        public DateTimeOffset First { get; set; }

        public DateTimeOffset Last { get; set; }

        public int Count { get; set; }

        /// <summary>Starts a new series, because the Event no longer exists.</summary>
        public void Restart()
        {
            Name = null;
            First = Last;
            Count = 1;
        }
    }
}

/// <summary>A dictionary of limited size that evicts the least recently used entry. Not thread-safe.</summary>
internal sealed class LruCache<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _order = [];

    public int Count => _nodes.Count;

    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            _order.Remove(node);
        }
        else
        {
            if (_nodes.Count == capacity)
            {
                _nodes.Remove(_order.First!.Value.Key);
                _order.RemoveFirst();
            }

            node = new((key, create()));
            _nodes.Add(key, node);
        }

        _order.AddLast(node);
        return node.Value.Value;
    }
}
