using System.Collections.Concurrent;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// Since when a key has been delayed, by the monotonic clock. Only the start is remembered, in this process: a new leader begins again.
/// Delays that are long over are forgotten when there are many. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class DelayTracker(TimeProvider time)
{
    /// <summary>How many keys are remembered before those whose delay is long over are forgotten.</summary>
    internal const int CleanAt = 10_000;

    private static readonly TimeSpan LongOver = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<ResourceKey, Delay> _delays = new();
    private int _cleanAt = CleanAt;

    /// <summary>How many keys are remembered.</summary>
    internal int Count => _delays.Count;

    /// <summary>What is left of a delay, which begins with the first call that names it; null once it is over.</summary>
    /// <param name="key">The key that is delayed.</param>
    /// <param name="what">What for; another word is another delay.</param>
    /// <param name="limit">How long at most.</param>
    public TimeSpan? Left(ResourceKey key, string what, TimeSpan limit)
    {
        // A delay that is over stays, so that the same does not begin again.
        var delay = _delays.AddOrUpdate(
            key,
            _ => new Delay(what, time.GetTimestamp(), limit),
            (_, known) => known.What == what ? known with { Limit = limit } : new Delay(what, time.GetTimestamp(), limit)
        );
        Clean();
        var left = limit - time.GetElapsedTime(delay.Since);
        return left > TimeSpan.Zero ? left : null;
    }

    /// <summary>The key is not delayed any more.</summary>
    public void End(ResourceKey key) => _delays.TryRemove(key, out _);

    private void Clean()
    {
        if (_delays.Count < Volatile.Read(ref _cleanAt))
        {
            return;
        }

        foreach (var delay in _delays.Where(d => time.GetElapsedTime(d.Value.Since) > d.Value.Limit + LongOver))
        {
            _delays.TryRemove(delay);
        }

        Volatile.Write(ref _cleanAt, Math.Max(CleanAt, 2 * _delays.Count));
    }

    private sealed record Delay(string What, long Since, TimeSpan Limit);
}
