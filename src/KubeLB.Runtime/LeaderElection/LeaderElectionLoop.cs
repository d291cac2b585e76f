using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// Campaigns for the Lease while the host runs, and gives it up at the end. Losing the lease ends the writes and nothing else: caches and
/// what is served from them stay, and the campaign continues. KubernetesClient has an elector, too; it waits longer and longer between
/// attempts, so that a replica that has stood by for long takes over late.
/// </summary>
internal sealed class LeaderElectionLoop(
    Cluster cluster,
    LeaderElectionSettings settings,
    Leadership leadership,
    WriteFence fence,
    Supervisor supervisor,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly string _leaseName = $"{settings.Namespace}/{settings.LeaseName}";
    private readonly LeaseClaim _claim = new(cluster.Kubernetes, settings, time);
    private string? _lastTrouble;
    private string? _lastHolder;
    private Task _running = Task.CompletedTask;

    // Without renewals the fence closes by itself, so that the campaign may simply begin again.
    public void Start() => _running = supervisor.Run($"leader election {_leaseName}", WhenFaulted.Restart, RunAsync, _stop.Token);

    /// <summary>Ends the campaign and releases the Lease. Call when no write can follow any more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await AttemptAsync().ConfigureAwait(false);
            if (leadership.IsLeader && !fence.IsOpen && !_stop.IsCancellationRequested)
            {
                leadership.End();
                fence.Close();
                Log.Lost(logger, _leaseName, cluster.Name, settings.Identity);
            }

            await Task.Delay(settings.RetryPeriod, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (leadership.End())
        {
            fence.Close();
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Asks once for the Lease, or for more of it. Closes the fence if it is seen to be another's.</summary>
    private async Task AttemptAsync()
    {
        // A renewal that hangs must not outlast what there is to renew, and leave time for another attempt.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var remaining = fence.Remaining;
        var half = settings.RenewDeadline / 2;
        limit.CancelAfter(leadership.IsLeader && remaining > TimeSpan.Zero && remaining < half ? remaining : half);
        try
        {
            var lease = await _claim.ReadAsync(limit.Token).ConfigureAwait(false);
            ReportHolder(lease);
            if (lease is not null && _claim.IsAnothers(lease))
            {
                fence.Close();
                return;
            }

            var asked = fence.Now();
            await _claim.TakeAsync(lease, limit.Token).ConfigureAwait(false);
            fence.Renewed(asked);
            Won();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Conflict)
        {
            // Another replica was faster; the next attempt sees which.
        }
#pragma warning disable CA1031 // Whatever it is, the campaign goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
        }
    }

    private void Won()
    {
        _lastTrouble = null;
        if (fence.IsOpen && !leadership.IsLeader)
        {
            Log.Leading(logger, _leaseName, cluster.Name, settings.Identity);
            leadership.Begin();
        }
    }

    private async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(ReleaseLimit);
        try
        {
            await _claim.ReleaseAsync(limit.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A lease that cannot be released runs out.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.NotReleased(logger, _leaseName, cluster.Name, e.Message);
        }
    }

    private void ReportHolder(V1Lease? lease)
    {
        var holder = lease?.Spec?.HolderIdentity ?? "";
        if (holder.Length > 0 && holder != settings.Identity && holder != _lastHolder)
        {
            Log.OtherLeads(logger, _leaseName, cluster.Name, holder);
        }

        _lastHolder = holder;
    }

    private void Failed(Exception failure)
    {
        var trouble = ApiError.Of(failure, cluster.Name, cluster.Transport.BaseAddress, null, $"renewing the lease {_leaseName}");
        if (_lastTrouble != trouble.Category)
        {
            _lastTrouble = trouble.Category;
            Log.CampaignFailing(logger, trouble.Sentence);
        }
    }
}
