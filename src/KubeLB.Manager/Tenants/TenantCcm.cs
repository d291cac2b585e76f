using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>Sets the Tenant's conditions from the CCM's report in annotations of Addresses.</summary>
internal sealed class TenantCcm([FromKeyedServices(ManagementCluster.Name)] Cluster management, Applier applier, TimeProvider time)
{
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();

    /// <summary>
    /// Whether a change of Addresses may change conditions of the Tenant; false for the periodic update of the report, unless the Tenant
    /// has the condition CcmConnected, which the update ends.
    /// </summary>
    public static bool Concerns(Change<Addresses> change, Tenant tenant)
    {
        var before = CcmAnnotations.ValueOf(change.Old, Annotations.LastSeen);
        var now = CcmAnnotations.ValueOf(change.New, Annotations.LastSeen);
        return Differs(Annotations.RejectedCluster)
            || Differs(Annotations.ClusterUid)
            || Differs(Annotations.CcmToken)
            || (before is null) != (now is null)
            || (before != now && tenant.Status?.Conditions?.Any(c => c.Type == TenantCcmConditions.CcmConnected) == true);

        bool Differs(string annotation) => CcmAnnotations.ValueOf(change.Old, annotation) != CcmAnnotations.ValueOf(change.New, annotation);
    }

    /// <summary>The current report of a Tenant's CCM.</summary>
    public CcmReport ReportOf(Tenant tenant)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        return tenant.Metadata.DeletionTimestamp is null && _tenants.HolderOf(@namespace)?.Metadata.Uid == tenant.Metadata.Uid
            ? CcmReport.Read(_addresses.Get(@namespace, Addresses.DefaultName), time.GetUtcNow())
            : CcmReport.None;
    }

    /// <summary>Adds the conditions for a report.</summary>
    public static void SetConditions(ConditionSet conditions, CcmReport report, long? generation)
    {
        if (report.Mismatch is { } mismatch)
        {
            conditions.Set(
                TenantCcmConditions.ClusterAccepted,
                ConditionStatus.False,
                TenantCcmConditions.ClusterMismatch,
                mismatch,
                generation
            );
        }

        if (report.NotSeen is { } notSeen)
        {
            conditions.Set(TenantCcmConditions.CcmConnected, ConditionStatus.False, TenantCcmConditions.CcmNotSeen, notSeen, generation);
        }
    }

    /// <summary>
    /// Removes the annotation with a rejected cluster that is no longer reported. A concurrent write of a CCM enqueues the Tenant again.
    /// </summary>
    public async Task RemoveRejectionAsync(string tenantNamespace, CancellationToken cancellationToken)
    {
        if (_addresses.Get(tenantNamespace, Addresses.DefaultName) is { Metadata.DeletionTimestamp: null } addresses)
        {
            var removal = new Dictionary<string, string?> { [Annotations.RejectedCluster] = null };
            await applier.PatchAnnotationsAsync(management, addresses, removal, cancellationToken).ConfigureAwait(false);
        }
    }
}
