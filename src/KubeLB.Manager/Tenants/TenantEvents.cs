using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Tells the operator, in Events on Tenants, when one is set up, fails, has no proxy that serves or no CCM, or is held up on its way out.
/// </summary>
internal sealed class TenantEvents([FromKeyedServices(ManagementCluster.Name)] EventRecorder recorder)
{
    /// <summary>Tells what a written status changed.</summary>
    /// <param name="before">The Tenant as it was when its status was computed.</param>
    /// <param name="written">What became of the write.</param>
    public void Tell(Tenant before, Applied<Tenant> written)
    {
        if (written.Outcome == ApplyOutcome.Unchanged)
        {
            return;
        }

        ReportCcm(TenantCcmConditions.ClusterAccepted, "No CCM of another cluster is rejected at present.", before, written.Object);
        ReportCcm(TenantCcmConditions.CcmConnected, "The CCM reports again.", before, written.Object);
        if (
            ProxyAvailabilityCondition.Of(written.Object.Status) is { } proxies
            && proxies.Message != ProxyAvailabilityCondition.Of(before.Status)?.Message
        )
        {
            recorder.Record(written.Object, EventType.Warning, proxies.Reason, proxies.Message);
        }

        if (IsNews(Ready(before.Status), before.Status?.Phase, Ready(written.Object.Status), written.Object.Status?.Phase))
        {
            var ready = Ready(written.Object.Status)!;
            var isWarning = written.Object.Status?.Phase is TenantPhases.Failed || HolderIn(ready.Message) is not null;
            recorder.Record(written.Object, isWarning ? EventType.Warning : EventType.Normal, ready.Reason, ready.Message);
        }
    }

    private void ReportCcm(string type, string over, Tenant before, Tenant now)
    {
        var (old, present) = (Of(type, before.Status), Of(type, now.Status));
        if (present is not null && present.Message != old?.Message)
        {
            recorder.Record(now, EventType.Warning, present.Reason, present.Message);
        }
        else if (old is not null && present is null && now.Metadata.DeletionTimestamp is null)
        {
            recorder.Record(now, EventType.Normal, type, over);
        }
    }

    /// <summary>Whether a condition Ready tells something that the one before did not; counting down is not news.</summary>
    internal static bool IsNews(Condition? before, string? phaseBefore, Condition? after, string? phaseAfter) =>
        phaseAfter switch
        {
            null => false,
            _ when after is null => false,

            // What comes by itself comes soon, or its lack is told by what it is of.
            TenantPhases.Pending => false,
            TenantPhases.Terminating => phaseBefore != phaseAfter
                || (HolderIn(after.Message) is { } holder && holder != HolderIn(before?.Message)),
            _ => phaseBefore != phaseAfter || before?.Reason != after.Reason || before.Message != after.Message,
        };

    // What RemovalMessages says of somebody's finalizer, or the cluster of a namespace.
    private static string? HolderIn(string? message) =>
        message?.Split("; ").FirstOrDefault(part => part.Contains(" is held by the finalizer", StringComparison.Ordinal));

    private static Condition? Ready(TenantStatus? status) => Of("Ready", status);

    private static Condition? Of(string type, TenantStatus? status) => status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
