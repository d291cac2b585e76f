using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using k8s.Autorest;
using k8s.Models;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Sets a Tenant up in the management cluster and takes it down again (<see cref="TenantAccess"/>, <see cref="TenantRemoval"/>).
/// Writes its namespace and TenantState; owns its finalizer and its status.
/// </summary>
internal sealed class TenantReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    TenantAccess access,
    TenantRemoval removal,
    TenantCcm ccm,
    Applier applier,
    TenantEvents events,
    TimeProvider time,
    ProxyAvailability? proxies = null
) : IReconciler
{
    private const string ReadyType = "Ready";

    // What is waited for brings the key back; only the words about who holds it up grow old without that.
    private static readonly TimeSpan RequeueAfter = TimeSpan.FromSeconds(5);

    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<V1Namespace> _namespaces = management.Informer<V1Namespace>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_tenants.Get(key) is not { } tenant)
        {
            return ReconcileResult.Done;
        }

        if (tenant.Metadata.DeletionTimestamp is not null)
        {
            return await RemoveAsync(tenant, cancellationToken).ConfigureAwait(false);
        }

        if (TenantClaims.Problem(tenant, _tenants.ClaimantsOf(TenantNames.Namespace(tenant.Name))) is { } problem)
        {
            await ReportAsync(tenant, TenantProgress.Failed("NameNotUsable", problem), cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        tenant = await applier.EnsureFinalizerAsync(management, tenant, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        if (_namespaces.Get("", TenantNames.Namespace(tenant.Name)) is { Metadata.DeletionTimestamp: not null } old)
        {
            var progress = TenantProgress.Pending("WaitingForNamespace", RemovalMessages.Namespace(old, "old "));
            await ReportAsync(tenant, progress, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.RequeueAfter(RequeueAfter);
        }

        TimeSpan? requeueAfter;
        try
        {
            var progress = await SetUpAsync(tenant, cancellationToken).ConfigureAwait(false);
            requeueAfter = await ReportAsync(tenant, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response is not null)
        {
            await ReportAsync(tenant, TenantProgress.Failed("ReconciliationFailed", e.Message), cancellationToken).ConfigureAwait(false);
            throw;
        }

        if (ccm.Of(tenant).IsRejectionOver)
        {
            await ccm.RemoveRejectionAsync(TenantNames.Namespace(tenant.Name), cancellationToken).ConfigureAwait(false);
        }

        return requeueAfter is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    private async Task<TenantProgress> SetUpAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        await applier.ApplyAsync(management, TenantObjects.Namespace(tenant), cancellationToken).ConfigureAwait(false);
        var state = (await applier.ApplyAsync(management, TenantObjects.State(tenant), cancellationToken).ConfigureAwait(false)).Object;
        var status = TenantObjects.StateStatus(state, settings.PolicyOf(TenantNames.Namespace(tenant.Name)), ManagerBuild.Version, Now());
        await applier.ApplyStatusAsync(management, state, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return await access.GrantAsync(tenant, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReconcileResult> RemoveAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        if (tenant.Metadata.Finalizers?.Contains(Finalizers.Cleanup) != true)
        {
            return ReconcileResult.Done;
        }

        if (await removal.AdvanceAsync(tenant, cancellationToken).ConfigureAwait(false) is { } wait)
        {
            await ReportAsync(tenant, TenantProgress.Terminating(wait), cancellationToken).ConfigureAwait(false);
            return ReconcileResult.RequeueAfter(RequeueAfter);
        }

        await applier.RemoveFinalizerAsync(management, tenant, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    // How long until what is reported of the proxies and the CCM may change without an event.
    private async Task<TimeSpan?> ReportAsync(Tenant tenant, TenantProgress progress, CancellationToken cancellationToken)
    {
        var generation = tenant.Metadata.Generation;
        var conditions = new ConditionSet(tenant.Status?.Conditions, Now()).Set(
            ReadyType,
            progress.ReadyStatus,
            progress.Reason,
            progress.Message,
            generation
        );
        if (SettingsProblems.MessageOf(tenant.Spec) is { } problems)
        {
            conditions.Set(
                SettingsConditions.SettingsValid,
                ConditionStatus.False,
                SettingsConditions.InvalidSettings,
                problems,
                generation
            );
        }

        var (problem, requeueAfter) = tenant.Metadata.DeletionTimestamp is null ? proxies?.Of(tenant) ?? default : default;
        if (problem is not null)
        {
            conditions.Set(
                TenantProxyConditions.ProxiesAvailable,
                ConditionStatus.False,
                TenantProxyConditions.NoProxyAvailable,
                problem,
                generation
            );
        }

        var report = ccm.Of(tenant);
        TenantCcm.Set(conditions, report, generation);
        var status = new TenantStatus
        {
            ObservedGeneration = generation,
            Phase = progress.Phase,
            Conditions = conditions.ToList(),
        };
        var written = await applier.ApplyStatusAsync(management, tenant, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        events.Tell(tenant, written);
        return requeueAfter is null || report.RequeueAfter < requeueAfter ? report.RequeueAfter : requeueAfter;
    }

    private string Now() => StatusTime.Of(time.GetUtcNow());
}
