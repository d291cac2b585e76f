using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Queues;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// One queue, its workers and the reconciler they call. May be run again after a run was cancelled; no key is lost between runs.
/// </summary>
internal sealed class Controller : IWorkQueueObserver
{
    private readonly int _workers;
    private readonly IReconciler _reconciler;
    private readonly RuntimeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OutcomeLog _outcomes;

    public Controller(
        string name,
        int workers,
        IReconciler reconciler,
        WorkQueueOptions backoff,
        RuntimeMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        Name = name;
        _workers = workers;
        _reconciler = reconciler;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _outcomes = new OutcomeLog(logger);

        // A namespace is a tenant, or a team of one.
        Queue = new WorkQueue<ResourceKey>(backoff, time, null, this, static key => key.Namespace);
        metrics.QueueDepth(name, 0);
    }

    public string Name { get; }

    public WorkQueue<ResourceKey> Queue { get; }

    /// <summary>Works on keys until the queue is shut down or <paramref name="work"/> is cancelled.</summary>
    /// <param name="work">Goes to the reconciler; keys in work when it is cancelled are queued again.</param>
    public async Task RunAsync(CancellationToken work)
    {
        Log.Started(_logger, Name, _workers, Queue.Depth);
        await Task.WhenAll(Enumerable.Range(0, _workers).Select(_ => Task.Run(() => WorkAsync(work), CancellationToken.None)))
            .ConfigureAwait(false);
        Log.Stopped(_logger, Name);
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
        var started = _time.GetTimestamp();
        string result;
        try
        {
            result = Settle(key, await _reconciler.ReconcileAsync(key, work).ConfigureAwait(false), started);
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            Queue.Add(key);
            result = "cancelled";
        }
#pragma warning disable CA1031 // The one place where a reconciler's failures end: told, counted, tried again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            result = _outcomes.Failed(key, e);
            RetryAfter(key, e);
        }

        _metrics.Reconciled(Name, result, _time.GetElapsedTime(started));
    }

    private void RetryAfter(ResourceKey key, Exception failure)
    {
        if (ApiOutage.Is(failure) || failure is LeaseExpiredException)
        {
            // When the API server is back, or this process leads again, what failed meanwhile is not to sleep on.
            Queue.AddRateLimited(key, ApiOutage.RetryWithin);
        }
        else
        {
            Queue.AddRateLimited(key);
        }
    }

    private string Settle(ResourceKey key, ReconcileResult result, long started)
    {
        switch (result.Outcome)
        {
            case ReconcileOutcome.Done:
                Queue.Forget(key);
                _outcomes.Succeeded(key);
                Log.Done(_logger, key, (long)_time.GetElapsedTime(started).TotalMilliseconds);
                return "done";
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
