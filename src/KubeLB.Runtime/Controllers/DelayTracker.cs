using System.Collections.Concurrent;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// Measures how long keys have been delayed, with the monotonic clock. The start is stored in memory only: after a change of the leader,
/// the measurement starts again. Expired delays are removed if the number of tracked keys is large. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class DelayTracker(TimeProvider time)
{
    /// <summary>The number of keys at which expired delays are removed.</summary>
    internal const int CleanupThreshold = 10_000;

    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<ResourceKey, Delay> _delays = new();
    private int _cleanupThreshold = CleanupThreshold;

    /// <summary>The number of tracked keys.</summary>
    internal int Count => _delays.Count;

    /// <summary>The remaining time of a delay, which starts with the first call for its reason; null after it has expired.</summary>
    /// <param name="key">The delayed key.</param>
    /// <param name="reason">The reason; another reason starts another delay.</param>
    /// <param name="limit">The length of the delay.</param>
    public TimeSpan? Left(ResourceKey key, string reason, TimeSpan limit)
    {
        // An expired delay is kept, so that it does not start again.
        var delay = _delays.AddOrUpdate(
            key,
            _ => new Delay(reason, time.GetTimestamp(), limit),
            (_, known) => known.Reason == reason ? known with { Limit = limit } : new Delay(reason, time.GetTimestamp(), limit)
        );
        RemoveExpired();
        var left = limit - time.GetElapsedTime(delay.Since);
        return left > TimeSpan.Zero ? left : null;
    }

    /// <summary>Ends the delay of a key.</summary>
    public void End(ResourceKey key) => _delays.TryRemove(key, out _);

    private void RemoveExpired()
    {
        if (_delays.Count < Volatile.Read(ref _cleanupThreshold))
        {
            return;
        }

        foreach (var delay in _delays.Where(d => time.GetElapsedTime(d.Value.Since) > d.Value.Limit + Retention))
        {
            _delays.TryRemove(delay);
        }

        Volatile.Write(ref _cleanupThreshold, Math.Max(CleanupThreshold, 2 * _delays.Count));
    }

    private sealed record Delay(string Reason, long Since, TimeSpan Limit);
}
