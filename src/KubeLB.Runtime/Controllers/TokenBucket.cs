namespace KubeLB.Runtime.Controllers;

/// <summary>Limits a rate: a number of actions in a burst, and one more after each interval. Not thread-safe.</summary>
/// <param name="burst">The number of actions in a burst.</param>
/// <param name="interval">The time after which one more action is permitted.</param>
/// <param name="time">The clock; its monotonic timestamps are used.</param>
internal sealed class TokenBucket(int burst, TimeSpan interval, TimeProvider time)
{
    private double _tokens = burst;
    private long _since = time.GetTimestamp();

    /// <summary>Takes a token.</summary>
    /// <returns>False if there is none.</returns>
    public bool TryTake()
    {
        Refill();
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>Takes a token that may become available only later.</summary>
    /// <returns>The time until it is available.</returns>
    public TimeSpan Reserve()
    {
        Refill();
        _tokens--;
        return _tokens >= 0 ? TimeSpan.Zero : -_tokens * interval;
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_since, now) / interval));
        _since = now;
    }
}
