using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace KubeLB.Runtime.Queues;

/// <summary>
/// A work queue of keys, like the one of client-go. A queued key is not added twice; a key that is being processed is not dequeued again
/// before it is done, and is requeued once if it was added during the processing. The group with the fewest keys in progress is dequeued
/// first, and a group can have a limited number of them, so that a group with many or slow keys does not block others. Thread-safe, for any
/// number of producers and workers.
/// </summary>
/// <typeparam name="TKey">The key.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue; the name is that of client-go.")]
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly FairQueue<TKey> _waiting;

    // One entry per key that can be dequeued: it wakes a worker, which then dequeues the next key. A key whose group has reached its limit
    // has none.
    private readonly Channel<bool> _ready = Channel.CreateUnbounded<bool>();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _processing = [];
    private readonly Dictionary<TKey, (int Count, int Steps)> _failures = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DelayedKeys<TKey> _delayed;
    private readonly WorkQueueOptions _options;
    private readonly Func<double> _random;
    private readonly IWorkQueueObserver? _observer;

    // When each dirty key was added, and how long each key in progress has waited; null if waits are not measured.
    private readonly Dictionary<TKey, long>? _addedAt;
    private readonly Dictionary<TKey, TimeSpan> _waits = [];
    private readonly TimeProvider _time;
    private bool _shutDown;

    /// <summary>Creates an empty queue.</summary>
    /// <param name="options">Backoff; null for the defaults.</param>
    /// <param name="timeProvider">Clock for delays; null for the system clock.</param>
    /// <param name="random">Returns numbers from 0 (inclusive) to 1 (exclusive) for jitter; null for a random source.</param>
    public WorkQueue(WorkQueueOptions? options = null, TimeProvider? timeProvider = null, Func<double>? random = null)
        : this(options, timeProvider, random, null) { }

    internal WorkQueue(
        WorkQueueOptions? options,
        TimeProvider? timeProvider,
        Func<double>? random,
        IWorkQueueObserver? observer,
        Func<TKey, string>? groupOf = null,
        int groupLimit = int.MaxValue,
        bool measuresWaits = false
    )
    {
        _time = timeProvider ?? TimeProvider.System;
        _addedAt = measuresWaits ? [] : null;
        _waiting = new FairQueue<TKey>(groupOf ?? (static _ => ""), groupLimit);
        _options = options ?? new WorkQueueOptions();
        _random = random ?? Random.Shared.NextDouble;
        _observer = observer;
        _delayed = new DelayedKeys<TKey>(_time, Add);
    }

    /// <summary>The number of queued keys.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Adds a key.</summary>
    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (_shutDown || !_dirty.Add(key))
            {
                return;
            }

            _addedAt?.Add(key, _time.GetTimestamp());
            _observer?.Added();
            if (!_processing.Contains(key))
            {
                Ready(key);
            }
        }
    }

    /// <summary>Adds a key after a delay. With several delays for one key, the earliest is used.</summary>
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
    /// <returns>The delay.</returns>
    public TimeSpan AddRateLimited(TKey key) => AddRateLimited(key, _options.MaxDelay);

    /// <summary>
    /// Adds a key after its backoff, but not later than a limit. A backoff that reaches the limit does not increase the next one.
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

    /// <summary>How often a key was added by <see cref="AddRateLimited(TKey)"/> since its backoff was reset.</summary>
    public int Failures(TKey key)
    {
        lock (_gate)
        {
            return _failures.GetValueOrDefault(key).Count;
        }
    }

    /// <summary>Waits for a key and dequeues it; <see cref="Done"/> must follow. False when the queue is shut down.</summary>
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
                    if (_addedAt is not null && _addedAt.Remove(key, out var added))
                    {
                        _waits[key] = _time.GetElapsedTime(added);
                    }

                    _observer?.DepthChanged(_waiting.Count);
                    return (true, key);
                }
            }
        }

        return (false, default!);
    }

    /// <summary>
    /// How long a key that is being processed was queued, including the time while it was processed before; zero if waits are not measured.
    /// </summary>
    internal TimeSpan WaitOf(TKey key)
    {
        lock (_gate)
        {
            return _waits.GetValueOrDefault(key);
        }
    }

    /// <summary>Marks a key of <see cref="TakeAsync"/> as processed.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (!_processing.Remove(key))
            {
                throw new InvalidOperationException($"{key} is not being processed.");
            }

            _waits.Remove(key);
            if (_waiting.Done(key))
            {
                _ready.Writer.TryWrite(true);
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

    /// <summary>Stops dequeuing, drops delayed keys and makes every pending <see cref="TakeAsync"/> return false.</summary>
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

    /// <summary>Completes when the queue is shut down and no key is being processed.</summary>
    public Task DrainedAsync(CancellationToken cancellationToken) => _drained.Task.WaitAsync(cancellationToken);

    private void Ready(TKey key)
    {
        if (_waiting.Add(key))
        {
            _ready.Writer.TryWrite(true);
        }

        _observer?.DepthChanged(_waiting.Count);
    }

    private void CompleteIfDrained()
    {
        if (_processing.Count == 0)
        {
            _drained.TrySetResult();
        }
    }
}

/// <summary>Backoff of a <see cref="WorkQueue{TKey}"/>.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>Delay after the first failure; doubles with each further failure. Default 5 milliseconds.</summary>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Maximum delay, before jitter is subtracted. Default 30 seconds.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The random part of the delay, 0 to 1: the delay is between <c>(1 - Jitter) · d</c> and <c>d</c>, so that keys that failed at the
    /// same time are not retried at the same time. Default 0.25.
    /// </summary>
    public double Jitter { get; init; } = 0.25;
}

/// <summary>Observes a queue for metrics. Called while the queue is locked: must be fast.</summary>
internal interface IWorkQueueObserver
{
    void Added();

    void Retried();

    void DepthChanged(int depth);
}
