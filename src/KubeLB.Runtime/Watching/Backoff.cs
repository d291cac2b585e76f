namespace KubeLB.Runtime.Watching;

/// <summary>
/// Exponential backoff with full jitter: the n-th delay in a row is drawn evenly from zero to base · 2ⁿ, so that many watchers that lost
/// one API server do not come back together.
/// </summary>
internal sealed class Backoff(TimeSpan baseDelay, Func<double> random)
{
    private int _failures;

    /// <summary>The next delay. A failure whose delays are capped low does not make those of others after it longer.</summary>
    /// <param name="cap">The longest delay after a failure of this sort.</param>
    public TimeSpan Next(TimeSpan cap)
    {
        var ceiling = baseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30));
        if (ceiling < cap.TotalMilliseconds)
        {
            _failures++;
        }

        return TimeSpan.FromMilliseconds(Math.Min(ceiling, cap.TotalMilliseconds) * random());
    }

    public void Reset() => _failures = 0;
}
