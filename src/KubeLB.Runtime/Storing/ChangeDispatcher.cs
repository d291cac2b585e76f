using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// Hands changes to handlers in the order in which they were queued, on the thread of whoever dispatches first. No lock is held while a
/// handler runs, because handlers read other informers whose handlers may be reading this one.
/// </summary>
/// <param name="failed">Told of a handler that failed, and expected to replay what there is to it later.</param>
internal sealed class ChangeDispatcher<T>(Action<ChangeDispatcher<T>.Subscription, Exception> failed)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly Queue<(Subscription[] To, Change<T> Change)> _waiting = new();
    private Subscription[] _subscriptions = [];
    private bool _dispatching;

    /// <summary>Adds a handler that gets <paramref name="present"/> as additions and then what is queued from now on.</summary>
    /// <param name="handler">The handler.</param>
    /// <param name="lost">Called with the key of an object whose change the handler failed on; null to do nothing.</param>
    /// <param name="present">The objects that there are.</param>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey>? lost, IEnumerable<T> present)
    {
        var subscription = new Subscription(this, handler, lost);
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions, subscription];
            foreach (var obj in present)
            {
                _waiting.Enqueue(([subscription], new Change<T>(null, obj)));
            }
        }

        return subscription;
    }

    /// <summary>Queues everything for one handler again: deletions that it failed on, then what there is as additions.</summary>
    public void Replay(Subscription subscription, Func<ResourceKey, bool> exists, IEnumerable<T> present)
    {
        lock (_gate)
        {
            foreach (var deleted in subscription.TakeFailedDeletions().Where(o => !exists(ResourceKey.Of(o))))
            {
                _waiting.Enqueue(([subscription], new Change<T>(deleted, null)));
            }

            foreach (var obj in present)
            {
                _waiting.Enqueue(([subscription], new Change<T>(null, obj)));
            }
        }
    }

    /// <summary>Queues a change for the present handlers. Call in the order of the changes, then <see cref="Dispatch"/>.</summary>
    public void Queue(Change<T> change)
    {
        lock (_gate)
        {
            if (_subscriptions.Length > 0)
            {
                _waiting.Enqueue((_subscriptions, change));
            }
        }
    }

    /// <summary>Runs handlers until nothing waits; returns at once if another thread (or a caller further up) is doing so.</summary>
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
                if (!_waiting.TryDequeue(out var next))
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

    /// <summary>One handler.</summary>
    internal sealed class Subscription(ChangeDispatcher<T> owner, Action<Change<T>> handler, Action<ResourceKey>? lost) : IDisposable
    {
        private const int DeletionLimit = 1000;

        private readonly Queue<T> _failedDeletions = new();
        private volatile bool _ended;

        public bool HasEnded => _ended;

        /// <summary>How many replays in a row were asked for.</summary>
        public int Replays { get; set; }

        /// <summary>Whether a replay is to come.</summary>
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
#pragma warning disable CA1031 // One handler's fault must not keep the change from the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (change is { New: null, Old: { } deleted })
                {
                    lock (owner._gate)
                    {
                        _failedDeletions.Enqueue(deleted);
                        if (_failedDeletions.Count > DeletionLimit)
                        {
                            _failedDeletions.Dequeue();
                        }
                    }
                }

                lost?.Invoke(change.Key);
                owner._failed(this, e);
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

    private readonly Action<Subscription, Exception> _failed = failed;
}
