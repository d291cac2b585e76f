using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>
/// Runs one controller: connects it to its informers, waits until they have synced (or are known to be absent, where they may be), then
/// works during each leadership (or always, if it does not need one).
/// </summary>
internal sealed class ControllerRunner(
    Controller controller,
    IReadOnlyList<Func<CancellationToken, Task>> needs,
    IReadOnlyList<Func<IDisposable>> watches,
    Func<IEnumerable<ResourceKey>> everyKey,
    ILeadership? leadership,
    Supervisor supervisor,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often every key is reconciled although nothing is known to have changed; 10 % more or less, so that controllers do not meet.
    /// </summary>
    private static readonly TimeSpan Resync = TimeSpan.FromHours(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _cancelWork = new();
    private readonly List<IDisposable> _subscriptions = [];
    private Task _running = Task.CompletedTask;
    private Task _resyncing = Task.CompletedTask;

    public string Name => controller.Name;

    public void Start()
    {
        _subscriptions.AddRange(watches.Select(connect => connect()));

        // A failure outside the reconciler may have lost keys that were in work.
        _running = supervisor.Run($"controller {Name}", WhenFaulted.StopProcess, RunAsync, _stop.Token);
        _resyncing = supervisor.Run($"resync of controller {Name}", WhenFaulted.Restart, ResyncAsync, _stop.Token);
    }

    /// <summary>Takes no further keys, lets running reconciles finish until the deadline, then cancels them.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        _subscriptions.ForEach(subscription => subscription.Dispose());

        // In this order: a queue that is shut down ends the controller's run, and only a stop keeps it from being run again.
        await _stop.CancelAsync().ConfigureAwait(false);
        controller.Queue.ShutDown();
        try
        {
            await controller.Queue.DrainedAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Controllers.Log.Cancelled(logger, controller.Name);
        }

        await _resyncing.ConfigureAwait(false);
        await _cancelWork.CancelAsync().ConfigureAwait(false);
        try
        {
            await _running.WaitAsync(CancelLimit, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.WorkerIgnoresCancellation(logger, controller.Name);
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
            await Task.Delay(Resync * (0.9 + (0.2 * Random.Shared.NextDouble())), time, _stop.Token).ConfigureAwait(false);
            foreach (var key in everyKey())
            {
                controller.Queue.Add(key);
            }
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await Task.WhenAll(needs.Select(ready => ready(_stop.Token))).ConfigureAwait(false);
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
