using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// Reconciles one key. Called after a watched object of the key changed, never concurrently for the same key, and retried with backoff
/// until it succeeds.
/// </summary>
public interface IReconciler
{
    /// <summary>Reads the state of <paramref name="key"/> from the informers and applies the missing changes.</summary>
    /// <param name="key">The key; the object may no longer exist.</param>
    /// <param name="cancellationToken">
    /// Cancelled when leadership is lost or the stop timeout has elapsed: no write may follow.
    /// </param>
    /// <returns>The next step. An exception is logged and the key is retried with backoff.</returns>
    Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken);
}

/// <summary>
/// The result of a reconcile: done, continue after the keys that wait, requeue after a delay, retry with backoff, or no retry until the
/// next change.
/// </summary>
public sealed record ReconcileResult
{
    private ReconcileResult(ReconcileOutcome outcome, TimeSpan delay, string? reason)
    {
        Outcome = outcome;
        Delay = delay;
        Reason = reason;
    }

    /// <summary>The key is up to date; its backoff is reset.</summary>
    public static ReconcileResult Done { get; } = new(ReconcileOutcome.Done, TimeSpan.Zero, null);

    /// <summary>
    /// Success so far; requeue at once, after the keys that wait: for work that takes long, so that one key does not keep a worker.
    /// </summary>
    public static ReconcileResult Continue { get; } = new(ReconcileOutcome.Continue, TimeSpan.Zero, null);

    /// <summary>The outcome.</summary>
    public ReconcileOutcome Outcome { get; }

    /// <summary>The delay of <see cref="ReconcileOutcome.RequeueAfter"/>.</summary>
    public TimeSpan Delay { get; }

    /// <summary>The reason of <see cref="ReconcileOutcome.Retry"/> and <see cref="ReconcileOutcome.Terminal"/>.</summary>
    public string? Reason { get; }

    /// <summary>Success so far; requeue after <paramref name="delay"/>, or earlier after a change. Resets the backoff.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is not positive.</exception>
    public static ReconcileResult RequeueAfter(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(delay, TimeSpan.Zero);
        return new(ReconcileOutcome.RequeueAfter, delay, null);
    }

    /// <summary>
    /// An expected failure; retry with backoff. Logged at Information if the reason is new for the key.
    /// </summary>
    public static ReconcileResult Retry(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        return new(ReconcileOutcome.Retry, TimeSpan.Zero, reason);
    }

    /// <summary>A failure that a retry cannot resolve. Logged at Warning if the reason is new for the key.</summary>
    public static ReconcileResult Terminal(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        return new(ReconcileOutcome.Terminal, TimeSpan.Zero, reason);
    }
}

/// <summary>The outcomes of a <see cref="ReconcileResult"/>.</summary>
public enum ReconcileOutcome
{
    /// <summary>The key is up to date.</summary>
    Done,

    /// <summary>Requeue after the keys that wait.</summary>
    Continue,

    /// <summary>Requeue after a fixed delay.</summary>
    RequeueAfter,

    /// <summary>Retry with backoff.</summary>
    Retry,

    /// <summary>No retry until the next change.</summary>
    Terminal,
}
