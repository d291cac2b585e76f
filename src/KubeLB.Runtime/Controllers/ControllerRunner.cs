using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Controllers;

/// <summary>
/// Runs one controller: subscribes it to its informers, waits until they have synced (or, for optional kinds, are known not to be served),
/// then runs the workers while this process is the leader (or always, if the controller needs no leader election).
/// </summary>
internal sealed class ControllerRunner(
    Controller controller,
    IReadOnlyList<Func<CancellationToken, Task>> prerequisites,
    IReadOnlyList<Func<IDisposable>> watches,
    Func<IEnumerable<ResourceKey>> allKeys,
    ILeadership? leadership,
    Supervisor supervisor,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private static readonly TimeSpan CancellationTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The interval at which all keys are requeued without a change, with a jitter of 10 %.</summary>
    private static readonly TimeSpan ResyncInterval = TimeSpan.FromHours(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _cancelWork = new();
    private readonly List<IDisposable> _subscriptions = [];
    private Task _running = Task.CompletedTask;
    private Task _resyncing = Task.CompletedTask;

    public string Name => controller.Name;

    public void Start()
    {
        _subscriptions.AddRange(watches.Select(connect => connect()));

        // A failure outside the reconciler may lose keys that were being processed.
        _running = supervisor.Run($"controller {Name}", WhenFaulted.StopProcess, RunAsync, _stop.Token);
        _resyncing = supervisor.Run($"resync of controller {Name}", WhenFaulted.Restart, ResyncAsync, _stop.Token);
    }

    /// <summary>Stops dequeuing, waits for running reconciles until the deadline, then cancels them.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        _subscriptions.ForEach(subscription => subscription.Dispose());

        // The order matters: shutting down the queue ends the current run, and only a cancelled _stop prevents the next one.
        await _stop.CancelAsync().ConfigureAwait(false);
        controller.Queue.ShutDown();
        try
        {
            await controller.Queue.DrainedAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Log.ReconcilesCancelled(logger, controller.Name);
        }

        await _resyncing.ConfigureAwait(false);
        await _cancelWork.CancelAsync().ConfigureAwait(false);
        try
        {
            await _running.WaitAsync(CancellationTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.CancellationIgnored(logger, controller.Name);
        }
    }

    public void Dispose()
    {
        _stop.Dispose();
        _cancelWork.Dispose();
    }

    private async Task ResyncAsync()
    {
        while (true)
        {
            await Task.Delay(ResyncInterval * (0.9 + (0.2 * Random.Shared.NextDouble())), time, _stop.Token).ConfigureAwait(false);
            foreach (var key in allKeys())
            {
                controller.Queue.Add(key);
            }
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await Task.WhenAll(prerequisites.Select(wait => wait(_stop.Token))).ConfigureAwait(false);
            while (!_stop.IsCancellationRequested)
            {
                var term = CancellationToken.None;
                if (leadership is not null)
                {
                    await leadership.WaitUntilLeadingAsync(_stop.Token).ConfigureAwait(false);
                    term = leadership.LeadershipToken;
                }

                using var work = CancellationTokenSource.CreateLinkedTokenSource(term, _cancelWork.Token);
                if (!work.IsCancellationRequested)
                {
                    await controller.RunAsync(work.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
    }
}
