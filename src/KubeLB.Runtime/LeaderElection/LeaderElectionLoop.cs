using k8s.LeaderElection;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>Campaigns for the Lease while the host runs, and gives it up at the end.</summary>
internal sealed class LeaderElectionLoop(
    Cluster cluster,
    LeaderElectionSettings settings,
    Leadership leadership,
    bool stopWhenLost,
    IHostApplicationLifetime lifetime,
    RuntimeExit exit,
    ILogger logger) : IDisposable
{
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly string _leaseName = $"{settings.Namespace}/{settings.LeaseName}";
    private ReportingLeaseLock? _lock;
    private CancellationTokenSource? _term;
    private string? _lastTrouble;
    private string? _lastHolder;
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Ends the campaign and releases the Lease. Call when no write can follow any more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _term?.Dispose();
    }

    private async Task RunAsync()
    {
        _lock = new ReportingLeaseLock(cluster.Kubernetes, settings, Failed, HeldBy);
        while (!_stop.IsCancellationRequested)
        {
            var led = await CampaignAsync().ConfigureAwait(false);
            if (led && !_stop.IsCancellationRequested)
            {
                Log.Lost(logger, _leaseName, cluster.Name, settings.Identity, stopWhenLost ? "stopping" : "campaigning again");
                if (stopWhenLost)
                {
                    exit.Fail($"Lost the lease {_leaseName} in cluster \"{cluster.Name}\".");
                    lifetime.StopApplication();
                    return;
                }
            }

            await Task.Delay(settings.RetryPeriod, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>True if this process led for a while.</returns>
    private async Task<bool> CampaignAsync()
    {
        // LeaderElector leaves a renewal running when it gives up; cancelling its token makes sure that it cannot succeed later.
        using var term = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _term = term;
        var led = false;
        using var elector = new LeaderElector(new LeaderElectionConfig(_lock!)
        {
            LeaseDuration = settings.LeaseDuration,
            RenewDeadline = settings.RenewDeadline,
            RetryPeriod = settings.RetryPeriod,
        });
        elector.OnStartedLeading += () =>
        {
            led = true;
            _lastTrouble = null;
            Log.Leading(logger, _leaseName, cluster.Name, settings.Identity);
            leadership.Begin();
        };
        try
        {
            await elector.RunUntilLeadershipLostAsync(term.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // LeaderElector lets the failures of a first attempt through; the campaign goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
        }
        finally
        {
            leadership.End();
            await term.CancelAsync().ConfigureAwait(false);
            _term = null;
            if (led)
            {
                await ReleaseAsync().ConfigureAwait(false);
            }
        }

        return led;
    }

    private async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(ReleaseLimit);
        try
        {
            await _lock!.ReleaseAsync(limit.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A lease that cannot be released runs out.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.NotReleased(logger, _leaseName, cluster.Name, e.Message);
        }
    }

    private void HeldBy(string holder)
    {
        var before = Interlocked.Exchange(ref _lastHolder, holder);
        if (holder.Length > 0 && holder != settings.Identity)
        {
            if (before != holder)
            {
                Log.OtherLeads(logger, _leaseName, cluster.Name, holder);
            }

            if (leadership.End())
            {
                _term?.Cancel();
            }
        }
    }

    private void Failed(Exception failure)
    {
        var trouble = ApiTrouble.Of(failure, cluster.Name, cluster.Transport.BaseAddress, null, $"renewing the lease {_leaseName}");
        if (Interlocked.Exchange(ref _lastTrouble, trouble.Category) != trouble.Category)
        {
            Log.CampaignFailing(logger, trouble.Sentence);
        }
    }
}
