using System.Collections.Concurrent;
using System.Net;
using k8s.Autorest;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Queues;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// A work queue, its workers and the reconciler. It can run again after a cancelled run; keys are not lost between runs.
/// </summary>
internal sealed class Controller : IWorkQueueObserver
{
    private readonly int _workers;
    private readonly IReconciler _reconciler;
    private readonly RuntimeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OutcomeLog _outcomes;
    private readonly ChangeTracer? _tracer;

    public Controller(
        string name,
        int workers,
        IReconciler reconciler,
        WorkQueueOptions backoff,
        RuntimeMetrics metrics,
        TimeProvider time,
        ILogger logger,
        ChangeTracer? tracer = null
    )
    {
        Name = name;
        _workers = workers;
        _reconciler = reconciler;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _outcomes = new OutcomeLog(logger);
        _tracer = tracer;

        // Fairness is per namespace: a namespace belongs to one tenant, or to one team of a tenant. One worker is always available for keys
        // of other namespaces.
        Queue = new WorkQueue<ResourceKey>(
            backoff,
            time,
            null,
            this,
            static key => key.Namespace,
            Math.Max(1, workers - 1),
            measuresWaits: tracer is not null
        );
        metrics.QueueDepth(name, 0);
    }

    public string Name { get; }

    public WorkQueue<ResourceKey> Queue { get; }

    /// <summary>Reconciles keys until the queue is shut down or <paramref name="work"/> is cancelled.</summary>
    /// <param name="work">Cancels running reconciles; their keys are requeued.</param>
    public async Task RunAsync(CancellationToken work)
    {
        Log.ControllerStarted(_logger, Name, _workers, Queue.Depth);
        await Task.WhenAll(Enumerable.Range(0, _workers).Select(_ => Task.Run(() => WorkAsync(work), CancellationToken.None)))
            .ConfigureAwait(false);
        Log.ControllerStopped(_logger, Name);
    }

    void IWorkQueueObserver.Added() => _metrics.QueueAdded(Name);

    void IWorkQueueObserver.Retried() => _metrics.QueueRetried(Name);

    void IWorkQueueObserver.DepthChanged(int depth) => _metrics.QueueDepth(Name, depth);

    private async Task WorkAsync(CancellationToken work)
    {
        while (!work.IsCancellationRequested)
        {
            bool taken;
            ResourceKey key;
            try
            {
                (taken, key) = await Queue.TakeAsync(work).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (!taken)
            {
                return;
            }

            try
            {
                await ReconcileAsync(key, work).ConfigureAwait(false);
            }
            finally
            {
                Queue.Done(key);
            }
        }
    }

    private async Task ReconcileAsync(ResourceKey key, CancellationToken work)
    {
        using var scope = _logger.BeginScope(
            new Dictionary<string, object>
            {
                ["Controller"] = Name,
                ["Namespace"] = key.Namespace,
                ["Name"] = key.Name,
            }
        );
        var trace = _tracer is null ? null : ReconcileTrace.Begin(_tracer, Name, key, Queue.WaitOf(key));
        var started = _time.GetTimestamp();
        string result;
        Exception? failure = null;
        try
        {
            result = Handle(key, await _reconciler.ReconcileAsync(key, work).ConfigureAwait(false), started);
        }
        catch (OperationCanceledException e) when (work.IsCancellationRequested)
        {
            failure = e;
            Queue.Add(key);
            result = "cancelled";
        }
#pragma warning disable CA1031 // Any exception of a reconciler is logged and counted here, and the key is requeued.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
            result = _outcomes.Failed(key, e);
            RetryAfter(key, e);
        }

        trace?.End(result, failure);
        _metrics.Reconciled(Name, result, _time.GetElapsedTime(started));
    }

    private void RetryAfter(ResourceKey key, Exception failure)
    {
        if (ApiOutage.IsOutage(failure) || failure is LeaseExpiredException)
        {
            // The maximum delay is short, so that keys are reconciled soon after the API server or the lease is available again.
            Queue.AddRateLimited(key, ApiOutage.MaxRetryDelay);
        }
        else
        {
            Queue.AddRateLimited(key);
        }
    }

    private string Handle(ResourceKey key, ReconcileResult result, long started)
    {
        switch (result.Outcome)
        {
            case ReconcileOutcome.Done:
                Queue.Forget(key);
                _outcomes.Succeeded(key);
                Log.Reconciled(_logger, key, (long)_time.GetElapsedTime(started).TotalMilliseconds);
                return "done";
            case ReconcileOutcome.Continue:
                Queue.Add(key);
                return "continue";
            case ReconcileOutcome.RequeueAfter:
                Queue.Forget(key);
                _outcomes.Succeeded(key);
                Queue.AddAfter(key, result.Delay);
                return "requeue_after";
            case ReconcileOutcome.Retry:
                _outcomes.Retrying(key, result.Reason!);
                Queue.AddRateLimited(key);
                return "retry";
            default:
                Queue.Forget(key);
                _outcomes.Terminal(key, result.Reason!);
                return "terminal";
        }
    }
}

/// <summary>Logs results of reconciles. A failure of a key is logged once per error, not at every retry.</summary>
internal sealed class OutcomeLog(ILogger logger)
{
    private readonly ConcurrentDictionary<ResourceKey, string> _lastReasons = new();

    public void Succeeded(ResourceKey key) => _lastReasons.TryRemove(key, out _);

    public void Retrying(ResourceKey key, string reason)
    {
        if (IsNew(key, reason))
        {
            Log.Requeued(logger, key, reason);
        }
    }

    public void Terminal(ResourceKey key, string reason)
    {
        if (IsNew(key, reason))
        {
            Log.TerminalError(logger, key, reason);
        }
    }

    /// <returns>The result for metrics: <c>conflict</c> or <c>fenced</c> for expected failures, <c>error</c> otherwise.</returns>
    public string Failed(ResourceKey key, Exception failure)
    {
        if (failure is StaleCacheException or HttpOperationException { Response.StatusCode: HttpStatusCode.Conflict })
        {
            Log.CacheStale(logger, key, failure.Message);
            return "conflict";
        }

        if (failure is LeaseExpiredException)
        {
            if (IsNew(key, failure.GetType().Name))
            {
                Log.Fenced(logger, key, failure.Message);
            }

            return "fenced";
        }

        if (!IsNew(key, $"{failure.GetType().Name}: {failure.Message}"))
        {
            Log.ReconcileFailedAgain(logger, key, failure.Message);
        }
        else if (failure is HttpOperationException or HttpRequestException)
        {
            // The message contains the API server's error; a stack trace would add no information.
            Log.RequestFailed(logger, key, failure.Message);
        }
        else
        {
            Log.ReconcileFailed(logger, failure, key);
        }

        return "error";
    }

    private bool IsNew(ResourceKey key, string reason)
    {
        var isNew = true;
        _lastReasons.AddOrUpdate(
            key,
            reason,
            (_, last) =>
            {
                isNew = last != reason;
                return reason;
            }
        );
        return isNew;
    }
}
