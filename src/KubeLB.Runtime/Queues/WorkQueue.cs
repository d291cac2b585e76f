namespace KubeLB.Runtime.Queues;

/// <summary>
/// A queue of keys to work on. A key that waits already is not added twice; a key that is being worked on is never handed out a second
/// time, but comes back once if it was added meanwhile. For any number of producers and workers.
/// </summary>
/// <typeparam name="TKey">The key.</typeparam>
public sealed class WorkQueue<TKey>
    where TKey : notnull
{
    /// <summary>Creates an empty queue.</summary>
    /// <param name="options">Backoff; null for the defaults.</param>
    /// <param name="timeProvider">Clock for delays; null for the system's.</param>
    /// <param name="random">Yields numbers from 0 (inclusive) to 1 (exclusive) for jitter; null for a random source.</param>
    public WorkQueue(WorkQueueOptions? options = null, TimeProvider? timeProvider = null, Func<double>? random = null) =>
        throw new NotImplementedException();

    /// <summary>How many keys wait to be handed out.</summary>
    public int Depth => throw new NotImplementedException();

    /// <summary>Adds a key now.</summary>
    public void Add(TKey key) => throw new NotImplementedException();

    /// <summary>Adds a key after a delay. If several delays run for one key, the earliest counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay) => throw new NotImplementedException();

    /// <summary>Adds a key after its backoff, which doubles each time until <see cref="Forget"/>.</summary>
    /// <returns>The delay that was chosen.</returns>
    public TimeSpan AddRateLimited(TKey key) => throw new NotImplementedException();

    /// <summary>Resets the backoff of a key.</summary>
    public void Forget(TKey key) => throw new NotImplementedException();

    /// <summary>How often a key was added by <see cref="AddRateLimited"/> since it was last forgotten.</summary>
    public int Failures(TKey key) => throw new NotImplementedException();

    /// <summary>Waits for a key and hands it out; <see cref="Done"/> must follow. False when the queue is shut down.</summary>
    public ValueTask<(bool Taken, TKey Key)> TakeAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Ends the work on a key that <see cref="TakeAsync"/> handed out.</summary>
    public void Done(TKey key) => throw new NotImplementedException();

    /// <summary>Hands out nothing any more, drops delayed keys and lets every waiting <see cref="TakeAsync"/> return false.</summary>
    public void ShutDown() => throw new NotImplementedException();

    /// <summary>Completes when the queue is shut down and no key is being worked on.</summary>
    public Task DrainedAsync(CancellationToken cancellationToken) => throw new NotImplementedException();
}
