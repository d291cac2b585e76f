using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// Makes the world agree with one key. Called for a key after anything it depends on changed, never twice at once for the same key,
/// and again with backoff until it succeeds.
/// </summary>
public interface IReconciler
{
    /// <summary>Reads the present state of <paramref name="key"/> from the informers and does what is missing.</summary>
    /// <param name="key">The key; the object may be gone by now.</param>
    /// <param name="cancellationToken">
    /// Cancelled when leadership is lost or the time for a graceful stop is over: no write may follow.
    /// </param>
    /// <returns>What to do next. An exception means: failed, log it and try again with backoff.</returns>
    Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken);
}
