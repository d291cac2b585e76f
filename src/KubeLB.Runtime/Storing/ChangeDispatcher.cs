using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Storing;

/// <summary>
/// Hands changes to handlers in the order in which they were queued, on the thread of whoever dispatches first. No lock is held while a
/// handler runs, because handlers read other informers whose handlers may be reading this one.
/// </summary>
internal sealed class ChangeDispatcher<T>(Action<Exception> handlerFailed)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly Queue<(Subscription[] To, Change<T> Change)> _waiting = new();
    private Subscription[] _subscriptions = [];
    private bool _dispatching;

    /// <summary>Adds a handler that gets <paramref name="present"/> as additions and then what is queued from now on.</summary>
    public IDisposable Subscribe(Action<Change<T>> handler, IEnumerable<T> present)
    {
        var subscription = new Subscription(this, handler);
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

    private sealed class Subscription(ChangeDispatcher<T> owner, Action<Change<T>> handler) : IDisposable
    {
        private volatile bool _ended;

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
                owner._failed(e);
            }
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

    private readonly Action<Exception> _failed = handlerFailed;
}
