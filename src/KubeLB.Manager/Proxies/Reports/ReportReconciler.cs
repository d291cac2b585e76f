using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>
/// Looks after the replicas' reports, as the leader: tells refused streams in Events on their Tenants, and deletes the report of a replica
/// that has not renewed it. The key is that of the Lease.
/// </summary>
internal sealed class ReportReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    [FromKeyedServices(ManagementCluster.Name)] EventRecorder events,
    ReplicaReports reports,
    Applier applier,
    TimeProvider time,
    ILogger<ReportReconciler> logger) : IReconciler
{
    /// <summary>Reason of the Event: a client was refused the configuration of a tenant's proxies.</summary>
    public const string ProxyRefused = "ProxyRefused";

    private readonly IInformer<V1Lease> _leases = management.Informer<V1Lease>();
    private readonly ConcurrentDictionary<ResourceKey, Seen> _seen = new();

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_leases.Get(key) is not { } lease)
        {
            _seen.TryRemove(key, out _);
            return ReconcileResult.Done;
        }

        // By our own clock, as nobody knows what another's says: from when a version was first seen here.
        var refusals = reports.Of(lease).Refusals;
        var before = _seen.GetValueOrDefault(key);
        var seen = before?.Version == lease.Metadata.ResourceVersion ? before : new Seen(lease.Metadata.ResourceVersion, time.GetTimestamp(), refusals);
        _seen[key] = seen;
        Tell(refusals.Except(before?.Refusals ?? []));
        var left = TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? 0) - time.GetElapsedTime(seen.At);
        if (left > TimeSpan.Zero)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        await applier.DeleteAsync(management, lease, cancellationToken).ConfigureAwait(false);
        Log.Expired(logger, key);
        return ReconcileResult.Done;
    }

    private void Tell(IEnumerable<RefusedStream> refusals)
    {
        foreach (var refusal in refusals)
        {
            if (management.Informer<Tenant>().Get("", refusal.Tenant) is { } tenant)
            {
                events.Record(tenant, EventType.Warning, ProxyRefused, refusal.Message);
            }
        }
    }

    private sealed record Seen(string Version, long At, IReadOnlyList<RefusedStream> Refusals);
}
