using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Limits the rate of writes per object and per namespace, so that one namespace does not occupy the API server. A write beyond the limit
/// is delayed: the object is reconciled again when its time has come, and its state at that time is written. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="objects">The limit per object.</param>
/// <param name="namespaces">The limit per namespace.</param>
public sealed class WriteRate(TimeProvider time, WriteLimit objects, WriteLimit namespaces)
{
    // The least recently used are evicted, and begin with a new burst.
    private const int CacheSize = 4096;

    private readonly LruCache<(string Kind, ResourceKey Key), TokenBucket> _objects = new(CacheSize);
    private readonly LruCache<string, TokenBucket> _namespaces = new(CacheSize);
    private readonly Dictionary<(string Kind, ResourceKey Key), (long Since, TimeSpan Delay)> _delayed = [];
    private readonly Lock _gate = new();

    /// <summary>The number of objects with a delayed write.</summary>
    internal int Delayed
    {
        get
        {
            lock (_gate)
            {
                return _delayed.Count;
            }
        }
    }

    /// <summary>Requests a write of an object.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="key">The object.</param>
    /// <returns>Null to write now; else the time after which the caller requests the write again.</returns>
    public TimeSpan? TimeLeft(string kind, ResourceKey key)
    {
        lock (_gate)
        {
            // The monotonic clock: a clock that is set back must not delay a status.
            if (!_delayed.TryGetValue((kind, key), out var delayed))
            {
                var inObject = _objects.GetOrAdd((kind, key), () => new TokenBucket(objects.Burst, objects.Interval, time)).Reserve();
                var inNamespace = _namespaces
                    .GetOrAdd(key.Namespace, () => new TokenBucket(namespaces.Burst, namespaces.Interval, time))
                    .Reserve();
                delayed = (time.GetTimestamp(), inObject > inNamespace ? inObject : inNamespace);
            }

            var left = delayed.Delay - time.GetElapsedTime(delayed.Since);
            if (left <= TimeSpan.Zero)
            {
                _delayed.Remove((kind, key));
                return null;
            }

            _delayed[(kind, key)] = delayed;
            return left;
        }
    }

    /// <summary>Ends the delay of an object that needs no write any more.</summary>
    public void Forget(string kind, ResourceKey key)
    {
        lock (_gate)
        {
            _delayed.Remove((kind, key));
        }
    }
}

/// <summary>A limit of a rate.</summary>
/// <param name="Burst">The number of writes in a burst.</param>
/// <param name="Interval">The time after which one more write is permitted.</param>
public sealed record WriteLimit(int Burst, TimeSpan Interval);
