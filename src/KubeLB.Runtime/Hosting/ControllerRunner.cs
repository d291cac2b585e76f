using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.LeaderElection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>
/// Runs one controller: connects it to its informers, waits until they have synced (or are known to be absent, where they may be), then works during each leadership (or always, if it
/// does not need one).
/// </summary>
internal sealed class ControllerRunner(
    Controller controller,
    IReadOnlyList<Func<CancellationToken, Task>> needs,
    IReadOnlyList<Func<IDisposable>> watches,
    ILeadership? leadership,
    ILogger logger) : IDisposable
{
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _cancelWork = new();
    private readonly List<IDisposable> _subscriptions = [];
    private Task _running = Task.CompletedTask;

    public string Name => controller.Name;

    public void Start()
    {
        _subscriptions.AddRange(watches.Select(connect => connect()));
        _running = Task.Run(RunAsync);
    }

    /// <summary>Takes no further keys, lets running reconciles finish until the deadline, then cancels them.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        _subscriptions.ForEach(subscription => subscription.Dispose());
        controller.Queue.ShutDown();
        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await controller.Queue.DrainedAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Controllers.Log.Cancelled(logger, controller.Name);
        }

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
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }
}
