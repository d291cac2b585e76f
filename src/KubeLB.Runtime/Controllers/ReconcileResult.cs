namespace KubeLB.Runtime.Controllers;

/// <summary>
/// How a reconcile ended. A closed set: done, again after a time, failed for an ordinary reason, failed until something changes.
/// </summary>
public sealed record ReconcileResult
{
    private ReconcileResult(ReconcileOutcome outcome, TimeSpan delay, string? reason)
    {
        Outcome = outcome;
        Delay = delay;
        Reason = reason;
    }

    /// <summary>All is as it should be; the key's backoff is reset.</summary>
    public static ReconcileResult Done { get; } = new(ReconcileOutcome.Done, TimeSpan.Zero, null);

    /// <summary>Which of the four it is.</summary>
    public ReconcileOutcome Outcome { get; }

    /// <summary>How long to wait, for <see cref="ReconcileOutcome.RequeueAfter"/>.</summary>
    public TimeSpan Delay { get; }

    /// <summary>Why, for <see cref="ReconcileOutcome.Retry"/> and <see cref="ReconcileOutcome.Terminal"/>.</summary>
    public string? Reason { get; }

    /// <summary>All is well so far; look again after <paramref name="delay"/> (earlier if something changes). Resets the backoff.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is not positive.</exception>
    public static ReconcileResult RequeueAfter(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(delay, TimeSpan.Zero);
        return new(ReconcileOutcome.RequeueAfter, delay, null);
    }

    /// <summary>
    /// Could not finish for an ordinary reason; try again with backoff. Logged at Information when the reason is new for the key.
    /// </summary>
    public static ReconcileResult Retry(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        return new(ReconcileOutcome.Retry, TimeSpan.Zero, reason);
    }

    /// <summary>Trying again is useless until something changes. Logged at Warning when the reason is new for the key.</summary>
    public static ReconcileResult Terminal(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        return new(ReconcileOutcome.Terminal, TimeSpan.Zero, reason);
    }
}

/// <summary>The cases of <see cref="ReconcileResult"/>.</summary>
public enum ReconcileOutcome
{
    /// <summary>Nothing left to do.</summary>
    Done,

    /// <summary>Look again after a fixed time.</summary>
    RequeueAfter,

    /// <summary>Try again with backoff.</summary>
    Retry,

    /// <summary>Wait for the next change.</summary>
    Terminal,
}
