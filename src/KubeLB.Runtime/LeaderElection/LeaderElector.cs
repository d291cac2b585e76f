using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// Acquires and renews the Lease while the host runs, and releases it at the stop. Losing the lease suspends writes; caches and serving are
/// not affected, and acquisition is retried. The elector of KubernetesClient is not used: its retry delay increases, so that a replica that
/// was on standby for a long time would acquire the lease late.
/// </summary>
internal sealed class LeaderElector(
    Cluster cluster,
    LeaderElectionSettings settings,
    Leadership leadership,
    WriteFence fence,
    Supervisor supervisor,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly string _leaseName = $"{settings.Namespace}/{settings.LeaseName}";
    private readonly LeaseLock _lease = new(cluster.Kubernetes, settings, time);
    private string? _lastError;
    private string? _lastHolder;
    private Task _running = Task.CompletedTask;

    // A restart is safe: without renewals the write fence closes at the renew deadline.
    public void Start() => _running = supervisor.Run($"leader election {_leaseName}", WhenFaulted.Restart, RunAsync, _stop.Token);

    /// <summary>Stops and releases the Lease. Call after the last write.</summary>
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
            await TryAcquireOrRenewAsync().ConfigureAwait(false);
            if (leadership.IsLeader && !fence.IsOpen && !_stop.IsCancellationRequested)
            {
                leadership.End();
                fence.Close();
                Log.LeaseLost(logger, _leaseName, cluster.Name, settings.Identity);
            }

            await Task.Delay(settings.RetryPeriod, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (leadership.End())
        {
            fence.Close();
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tries once to acquire or renew the Lease. Closes the fence if another replica holds it.</summary>
    private async Task TryAcquireOrRenewAsync()
    {
        // A renewal that hangs must end before the lease expires, and leave time for another attempt.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var remaining = fence.Remaining;
        var half = settings.RenewDeadline / 2;
        limit.CancelAfter(leadership.IsLeader && remaining > TimeSpan.Zero && remaining < half ? remaining : half);
        try
        {
            var lease = await _lease.ReadAsync(limit.Token).ConfigureAwait(false);
            ReportHolder(lease);
            if (lease is not null && _lease.IsHeldByAnother(lease))
            {
                fence.Close();
                return;
            }

            var requestedAt = fence.Now();
            await _lease.AcquireOrRenewAsync(lease, limit.Token).ConfigureAwait(false);
            fence.Renew(requestedAt);
            OnRenewed();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Conflict)
        {
            // Another replica acquired it first; the next attempt reads the holder.
        }
#pragma warning disable CA1031 // Any error is logged and retried.
        catch (Exception e)
#pragma warning restore CA1031
        {
            OnFailed(e);
        }
    }

    private void OnRenewed()
    {
        _lastError = null;
        if (fence.IsOpen && !leadership.IsLeader)
        {
            Log.LeaseAcquired(logger, _leaseName, cluster.Name, settings.Identity);
            leadership.Begin();
        }
    }

    private async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(ReleaseTimeout);
        try
        {
            await _lease.ReleaseAsync(limit.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A lease that is not released expires.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.LeaseNotReleased(logger, _leaseName, cluster.Name, e.Message);
        }
    }

    private void ReportHolder(V1Lease? lease)
    {
        var holder = lease?.Spec?.HolderIdentity ?? "";
        if (holder.Length > 0 && holder != settings.Identity && holder != _lastHolder)
        {
            Log.LeaseHeld(logger, _leaseName, cluster.Name, holder);
        }

        _lastHolder = holder;
    }

    private void OnFailed(Exception failure)
    {
        var error = ApiError.From(failure, cluster.Name, cluster.Transport, null, $"renewing the lease {_leaseName}");
        if (_lastError != error.Category)
        {
            _lastError = error.Category;
            Log.LeaseRequestFailing(logger, error.Message);
        }
    }
}

/// <summary>Settings of the leader election with a Lease of <c>coordination.k8s.io/v1</c>.</summary>
/// <param name="Cluster">Name of the registered cluster of the Lease.</param>
/// <param name="Namespace">Namespace of the Lease.</param>
/// <param name="LeaseName">Name of the Lease.</param>
/// <param name="Identity">A unique identity of this replica, for example the pod name and a random suffix.</param>
public sealed record LeaderElectionSettings(string Cluster, string Namespace, string LeaseName, string Identity)
{
    /// <summary>
    /// The time after the last observed renewal at which another replica may acquire the lease. Default 15 seconds: with two retry periods,
    /// for observing the renewal and its expiry, a failed leader is replaced within 19 seconds.
    /// </summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The time after its last renewal at which the leader stops writing. It is less than <see cref="LeaseDuration"/>; the difference is
    /// the time that a write in progress has. Default 10 seconds.
    /// </summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time between two attempts, less than <see cref="RenewDeadline"/>. Default 2 seconds.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    internal IEnumerable<string> Problems()
    {
        if (
            string.IsNullOrWhiteSpace(Cluster)
            || string.IsNullOrWhiteSpace(Namespace)
            || string.IsNullOrWhiteSpace(LeaseName)
            || string.IsNullOrWhiteSpace(Identity)
        )
        {
            yield return "Incomplete leader election settings: set cluster, namespace, lease name and identity.";
        }

        if (RetryPeriod <= TimeSpan.Zero || RenewDeadline <= RetryPeriod || LeaseDuration <= RenewDeadline)
        {
            yield return $"Invalid leader election settings: retry period ({RetryPeriod.TotalSeconds} s) < renew deadline "
                + $"({RenewDeadline.TotalSeconds} s) < lease duration ({LeaseDuration.TotalSeconds} s) is required.";
        }

        if (LeaseDuration < TimeSpan.FromSeconds(1))
        {
            yield return $"Invalid lease duration {LeaseDuration.TotalSeconds} s: must be at least 1 s, because a Lease stores whole "
                + "seconds.";
        }
    }
}
