using System.Threading.Channels;

namespace KubeLB.Runtime.Queues;

/// <summary>
/// A queue of keys to work on. A key that waits already is not added twice; a key that is being worked on is never handed out a second
/// time, but comes back once if it was added meanwhile. Keys of different groups take turns, so that a group with many keys does not keep
/// the others waiting. For any number of producers and workers.
/// </summary>
/// <typeparam name="TKey">The key.</typeparam>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly FairQueue<TKey> _waiting;

    // One entry per waiting key: wakes a worker, which then takes the key whose turn it is.
    private readonly Channel<bool> _ready = Channel.CreateUnbounded<bool>();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _processing = [];
    private readonly Dictionary<TKey, (int Count, int Steps)> _failures = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DelayedKeys<TKey> _delayed;
    private readonly WorkQueueOptions _options;
    private readonly Func<double> _random;
    private readonly IWorkQueueObserver? _observer;
    private bool _shutDown;

    /// <summary>Creates an empty queue.</summary>
    /// <param name="options">Backoff; null for the defaults.</param>
    /// <param name="timeProvider">Clock for delays; null for the system's.</param>
    /// <param name="random">Yields numbers from 0 (inclusive) to 1 (exclusive) for jitter; null for a random source.</param>
    public WorkQueue(WorkQueueOptions? options = null, TimeProvider? timeProvider = null, Func<double>? random = null)
        : this(options, timeProvider, random, null) { }

    internal WorkQueue(
        WorkQueueOptions? options,
        TimeProvider? timeProvider,
        Func<double>? random,
        IWorkQueueObserver? observer,
        Func<TKey, string>? groupOf = null
    )
    {
        _waiting = new FairQueue<TKey>(groupOf ?? (static _ => ""));
        _options = options ?? new WorkQueueOptions();
        _random = random ?? Random.Shared.NextDouble;
        _observer = observer;
        _delayed = new DelayedKeys<TKey>(timeProvider ?? TimeProvider.System, Add);
    }

    /// <summary>How many keys wait to be handed out.</summary>
    public int Depth => _ready.Reader.Count;

    /// <summary>Adds a key now.</summary>
    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (_shutDown || !_dirty.Add(key))
            {
                return;
            }

            _observer?.Added();
            if (!_processing.Contains(key))
            {
                Ready(key);
            }
        }
    }

    /// <summary>Adds a key after a delay. If several delays run for one key, the earliest counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
        }
        else
        {
            _delayed.Add(key, delay);
        }
    }

    /// <summary>Adds a key after its backoff, which doubles each time until <see cref="Forget"/>.</summary>
    /// <returns>The delay that was chosen.</returns>
    public TimeSpan AddRateLimited(TKey key) => AddRateLimited(key, _options.MaxDelay);

    /// <summary>
    /// Adds a key after its backoff, and not later than a limit for failures of this sort; they make the next delay no longer than twice
    /// that.
    /// </summary>
    internal TimeSpan AddRateLimited(TKey key, TimeSpan limit)
    {
        var cap = Math.Min(limit.TotalMilliseconds, _options.MaxDelay.TotalMilliseconds);
        double full;
        lock (_gate)
        {
            var (failures, steps) = _failures.GetValueOrDefault(key);
            full = _options.BaseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(steps, 40));
            _failures[key] = (failures + 1, full < cap ? steps + 1 : steps);
            _observer?.Retried();
        }

        full = Math.Min(full, cap);
        var delay = TimeSpan.FromMilliseconds(full * (1 - (_options.Jitter * _random())));
        AddAfter(key, delay);
        return delay;
    }

    /// <summary>Resets the backoff of a key.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
        {
            _failures.Remove(key);
        }
    }

    /// <summary>How often a key was added by <see cref="AddRateLimited(TKey)"/> since it was last forgotten.</summary>
    public int Failures(TKey key)
    {
        lock (_gate)
        {
            return _failures.GetValueOrDefault(key).Count;
        }
    }

    /// <summary>Waits for a key and hands it out; <see cref="Done"/> must follow. False when the queue is shut down.</summary>
    public async ValueTask<(bool Taken, TKey Key)> TakeAsync(CancellationToken cancellationToken)
    {
        while (await _ready.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            lock (_gate)
            {
                if (_shutDown)
                {
                    break;
                }

                if (_ready.Reader.TryRead(out _))
                {
                    var key = _waiting.Take();
                    _dirty.Remove(key);
                    _processing.Add(key);
                    _observer?.DepthChanged(_ready.Reader.Count);
                    return (true, key);
                }
            }
        }

        return (false, default!);
    }

    /// <summary>Ends the work on a key that <see cref="TakeAsync"/> handed out.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (!_processing.Remove(key))
            {
                throw new InvalidOperationException($"{key} is not being worked on.");
            }

            if (_shutDown)
            {
                CompleteIfDrained();
            }
            else if (_dirty.Contains(key))
            {
                Ready(key);
            }
        }
    }

    /// <summary>Hands out nothing any more, drops delayed keys and lets every waiting <see cref="TakeAsync"/> return false.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            _shutDown = true;
            _ready.Writer.TryComplete();
            CompleteIfDrained();
        }

        _delayed.Dispose();
    }

    /// <summary>The same as <see cref="ShutDown"/>.</summary>
    public void Dispose() => ShutDown();

    /// <summary>Completes when the queue is shut down and no key is being worked on.</summary>
    public Task DrainedAsync(CancellationToken cancellationToken) => _drained.Task.WaitAsync(cancellationToken);

    private void Ready(TKey key)
    {
        _waiting.Add(key);
        _ready.Writer.TryWrite(true);
        _observer?.DepthChanged(_ready.Reader.Count);
    }

    private void CompleteIfDrained()
    {
        if (_processing.Count == 0)
        {
            _drained.TrySetResult();
        }
    }
}
