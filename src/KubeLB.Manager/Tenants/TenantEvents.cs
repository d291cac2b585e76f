using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Records Events on Tenants: ready, failed, no available proxy, no connected CCM, rotated token, shared hostnames, blocked deletion.
/// </summary>
internal sealed class TenantEvents([FromKeyedServices(ManagementCluster.Name)] EventRecorder recorder)
{
    /// <summary>Records the changes of a written status.</summary>
    /// <param name="before">The Tenant before the write.</param>
    /// <param name="written">Result of the write.</param>
    public void RecordStatus(Tenant before, Applied<Tenant> written)
    {
        if (written.Outcome == ApplyOutcome.Unchanged)
        {
            return;
        }

        RecordReport(TenantCcmConditions.ClusterAccepted, Messages.ClusterMismatchResolved, before, written.Object);
        RecordReport(TenantCcmConditions.CcmConnected, Messages.CcmReconnected, before, written.Object);
        RecordReport(TenantTokenConditions.TokenRotated, Messages.TokenRotated, before, written.Object, EventType.Normal);
        RecordReport(TenantHostnameConditions.HostnamesUnique, Messages.HostnamesUnique, before, written.Object);
        RecordReport(GatewayClassConditions.GatewayClassReady, Messages.GatewayClassReady, before, written.Object);
        RecordReport(TenantDefaultsConditions.DefaultsCurrent, Messages.DefaultsCurrent, before, written.Object);
        if (
            ProxyAvailabilityCondition.Of(written.Object.Status) is { } proxies
            && proxies.Message != ProxyAvailabilityCondition.Of(before.Status)?.Message
        )
        {
            recorder.Record(written.Object, EventType.Warning, proxies.Reason, proxies.Message);
        }

        if (IsReportable(Ready(before.Status), before.Status?.Phase, Ready(written.Object.Status), written.Object.Status?.Phase))
        {
            var ready = Ready(written.Object.Status)!;
            var isWarning = written.Object.Status?.Phase is TenantPhases.Failed || BlockedIn(ready.Message) is not null;
            recorder.Record(written.Object, isWarning ? EventType.Warning : EventType.Normal, ready.Reason, ready.Message);
        }
    }

    private void RecordReport(string type, string recovered, Tenant before, Tenant now, EventType eventType = EventType.Warning)
    {
        var (old, present) = (ConditionIn(before.Status, type), ConditionIn(now.Status, type));
        // The message of DefaultsCurrent has numbers, which change often.
        var isNew = type == TenantDefaultsConditions.DefaultsCurrent ? old is null : present?.Message != old?.Message;
        if (present is not null && isNew)
        {
            recorder.Record(now, eventType, present.Reason, present.Message);
        }
        else if (old is not null && present is null && now.Metadata.DeletionTimestamp is null)
        {
            recorder.Record(now, EventType.Normal, type, recovered);
        }
    }

    /// <summary>
    /// Whether an Event is recorded for a change of condition Ready; false if only the count of remaining objects is smaller.
    /// </summary>
    internal static bool IsReportable(Condition? before, string? phaseBefore, Condition? after, string? phaseAfter) =>
        phaseAfter switch
        {
            null => false,
            _ when after is null => false,

            // This phase is usually short; other components report what is missing.
            TenantPhases.Pending => false,
            TenantPhases.Terminating => phaseBefore != phaseAfter
                || (BlockedIn(after.Message) is { } blocked && blocked != BlockedIn(before?.Message)),
            _ => phaseBefore != phaseAfter || before?.Reason != after.Reason || before.Message != after.Message,
        };

    // The part of a message that names a blocked object and its finalizers.
    private static string? BlockedIn(string? message) =>
        message?.Split("; ").FirstOrDefault(part => part.Contains(Messages.BlockedByFinalizer, StringComparison.Ordinal));

    private static Condition? Ready(TenantStatus? status) => ConditionIn(status, "Ready");

    private static Condition? ConditionIn(TenantStatus? status, string type) => status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
