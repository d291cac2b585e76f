using System.Collections.Concurrent;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// How long a key has been waiting for something. Only the start is remembered, in this process: whoever comes after it waits anew. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class Waits(TimeProvider time)
{
    private readonly ConcurrentDictionary<ResourceKey, (string What, long Since)> _waits = new();

    /// <summary>What is left of a wait, which begins with the first call that names it; null once it is over, until something else is waited for.</summary>
    /// <param name="key">Who waits.</param>
    /// <param name="what">What for; another word is another wait.</param>
    /// <param name="limit">How long at most.</param>
    public TimeSpan? Left(ResourceKey key, string what, TimeSpan limit)
    {
        // A wait that is over stays, so that the same is not awaited again.
        var wait = _waits.AddOrUpdate(key, _ => (what, time.GetTimestamp()), (_, known) => known.What == what ? known : (what, time.GetTimestamp()));
        var left = limit - time.GetElapsedTime(wait.Since);
        return left > TimeSpan.Zero ? left : null;
    }

    /// <summary>The key does not wait any more.</summary>
    public void End(ResourceKey key) => _waits.TryRemove(key, out _);
}
