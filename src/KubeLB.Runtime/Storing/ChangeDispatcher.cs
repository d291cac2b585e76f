using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// Calls handlers with changes in the order in which they were queued, on the thread of the first caller of <see cref="Dispatch"/>. No lock
/// is held while a handler runs, because handlers read other informers, whose handlers may read this one.
/// </summary>
/// <param name="onFailure">Called when a handler failed; must replay all objects to it later.</param>
internal sealed class ChangeDispatcher<T>(Action<ChangeDispatcher<T>.Subscription, Exception> onFailure)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly Action<Subscription, Exception> _onFailure = onFailure;
    private readonly Queue<(Subscription[] To, Change<T> Change)> _queue = new();
    private Subscription[] _subscriptions = [];
    private bool _dispatching;

    /// <summary>Adds a handler. It receives the stored objects as additions and then all changes that are queued later.</summary>
    /// <param name="handler">The handler.</param>
    /// <param name="onFailedKey">Called with the key of a change that the handler failed on; null to ignore.</param>
    /// <param name="stored">The stored objects.</param>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey>? onFailedKey, IEnumerable<T> stored)
    {
        var subscription = new Subscription(this, handler, onFailedKey);
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions, subscription];
            foreach (var obj in stored)
            {
                _queue.Enqueue(([subscription], new Change<T>(null, obj)));
            }
        }

        return subscription;
    }

    /// <summary>
    /// Replays to one handler the deletions that it failed on, unless the object exists again, then all stored objects as additions.
    /// </summary>
    public void Replay(Subscription subscription, Func<ResourceKey, bool> exists, IEnumerable<T> stored)
    {
        lock (_gate)
        {
            foreach (var deleted in subscription.TakeFailedDeletions().Where(o => !exists(ResourceKey.Of(o))))
            {
                _queue.Enqueue(([subscription], new Change<T>(deleted, null)));
            }

            foreach (var obj in stored)
            {
                _queue.Enqueue(([subscription], new Change<T>(null, obj)));
            }
        }
    }

    /// <summary>Queues a change for all handlers. Must be called in the order of the changes, and before <see cref="Dispatch"/>.</summary>
    public void Queue(Change<T> change)
    {
        lock (_gate)
        {
            if (_subscriptions.Length > 0)
            {
                _queue.Enqueue((_subscriptions, change));
            }
        }
    }

    /// <summary>
    /// Runs handlers until the queue is empty; returns at once if another thread, or a caller on this thread, is dispatching.
    /// </summary>
    public void Dispatch()
    {
        lock (_gate)
        {
            if (_dispatching)
            {
                return;
            }

            _dispatching = true;
        }

        while (true)
        {
            Subscription[] to;
            Change<T> change;
            lock (_gate)
            {
                if (!_queue.TryDequeue(out var next))
                {
                    _dispatching = false;
                    return;
                }

                (to, change) = next;
            }

            foreach (var subscription in to)
            {
                subscription.Call(change);
            }
        }
    }

    /// <summary>A handler.</summary>
    internal sealed class Subscription(ChangeDispatcher<T> owner, Action<Change<T>> handler, Action<ResourceKey>? onFailedKey) : IDisposable
    {
        private const int MaxFailedDeletions = 1000;

        private readonly Queue<T> _failedDeletions = new();
        private volatile bool _ended;

        public bool HasEnded => _ended;

        /// <summary>The number of scheduled replays so far.</summary>
        public int Replays { get; set; }

        /// <summary>Whether a replay is scheduled.</summary>
        public bool IsReplayPending { get; set; }

        public void Call(Change<T> change)
        {
            if (_ended)
            {
                return;
            }

            try
            {
                handler(change);
            }
#pragma warning disable CA1031 // The failure of a handler must not affect the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (change is { New: null, Old: { } deleted })
                {
                    lock (owner._gate)
                    {
                        _failedDeletions.Enqueue(deleted);
                        if (_failedDeletions.Count > MaxFailedDeletions)
                        {
                            _failedDeletions.Dequeue();
                        }
                    }
                }

                onFailedKey?.Invoke(change.Key);
                owner._onFailure(this, e);
            }
        }

        public T[] TakeFailedDeletions()
        {
            var taken = _failedDeletions.ToArray();
            _failedDeletions.Clear();
            return taken;
        }

        public void Dispose()
        {
            _ended = true;
            lock (owner._gate)
            {
                owner._subscriptions = owner._subscriptions.Where(s => s != this).ToArray();
            }
        }
    }
}
