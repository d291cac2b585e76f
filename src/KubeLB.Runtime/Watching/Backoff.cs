namespace KubeLB.Runtime.Watching;

/// <summary>
/// Exponential backoff with full jitter: the n-th delay in a row is drawn evenly from zero to base · 2ⁿ, so that many watchers that lost
/// one API server do not come back together.
/// </summary>
internal sealed class Backoff(TimeSpan baseDelay, TimeSpan cap, Func<double> random)
{
    private int _failures;

    public TimeSpan Next()
    {
        var ceiling = Math.Min(baseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30)), cap.TotalMilliseconds);
        _failures++;
        return TimeSpan.FromMilliseconds(ceiling * random());
    }

    public void Reset() => _failures = 0;
}
