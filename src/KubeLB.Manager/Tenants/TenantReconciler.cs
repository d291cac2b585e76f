using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Sets up a Tenant in the management cluster (<see cref="TenantAccess"/>) and removes it (<see cref="TenantRemoval"/>). Writes its
/// namespace, TenantState, finalizer and status.
/// </summary>
internal sealed class TenantReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    TenantAccess access,
    TenantRemoval removal,
    TenantCcm ccm,
    TokenRotation tokens,
    TenantDefaults defaults,
    Applier applier,
    TenantEvents events,
    TimeProvider time,
    ProxyAvailability? proxies = null,
    SharedHostnames? hostnames = null,
    GatewayClasses? classes = null
) : IReconciler
{
    /// <summary>Type: the tenant is set up.</summary>
    private const string ReadyType = "Ready";

    // Changes enqueue the key; the interval refreshes the message about what blocks a deletion.
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
            await ReportAsync(tenant, TenantProgress.Failed(TenantReasons.InvalidName, problem), cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        tenant = await applier.EnsureFinalizerAsync(management, tenant, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        if (_namespaces.Get("", TenantNames.Namespace(tenant.Name)) is { Metadata.DeletionTimestamp: not null } old)
        {
            var progress = TenantProgress.Pending(TenantReasons.WaitingForNamespace, RemovalMessages.OldNamespace(old));
            await ReportAsync(tenant, progress, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.RequeueAfter(RequeueAfter);
        }

        TimeSpan? requeueAfter;
        try
        {
            tenant = await defaults.RecordAsync(tenant, cancellationToken).ConfigureAwait(false);
            var progress = await SetUpAsync(tenant, cancellationToken).ConfigureAwait(false);
            requeueAfter = await ReportAsync(tenant, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response is not null)
        {
            var progress = TenantProgress.Failed(TenantReasons.ReconciliationFailed, Messages.ReconciliationFailed(e.Message));
            await ReportAsync(tenant, progress, cancellationToken).ConfigureAwait(false);
            throw;
        }

        if (ccm.ReportOf(tenant).IsRejectionOver)
        {
            await ccm.RemoveRejectionAsync(TenantNames.Namespace(tenant.Name), cancellationToken).ConfigureAwait(false);
        }

        return requeueAfter is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    private async Task<TenantProgress> SetUpAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        await applier.ApplyAsync(management, TenantObjects.Namespace(tenant), cancellationToken).ConfigureAwait(false);
        var state = (await applier.ApplyAsync(management, TenantObjects.State(tenant), cancellationToken).ConfigureAwait(false)).Object;
        var status = TenantObjects.StateStatus(state, settings.PolicyOf(TenantNames.Namespace(tenant.Name)), ManagerBuild.Build, Now());
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

    // Returns the time until the conditions of the proxies and the CCM may change without an event.
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

        var (problem, requeueAfter) = tenant.Metadata.DeletionTimestamp is null ? proxies?.ProblemOf(tenant) ?? default : default;
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

        var report = ccm.ReportOf(tenant);
        TenantCcm.SetConditions(conditions, report, generation);
        tokens.SetCondition(conditions, tenant, report);
        hostnames?.SetCondition(conditions, tenant);
        defaults.SetCondition(conditions, tenant);
        if (tenant is { Metadata.DeletionTimestamp: null, Spec.GatewayAPI.Class: not null })
        {
            // The problem of the Config's class is reported on the Config.
            classes?.SetCondition(conditions, settings.PolicyOf(TenantNames.Namespace(tenant.Name)), generation);
        }

        var status = new TenantStatus
        {
            ObservedGeneration = generation,
            Phase = progress.Phase,
            Conditions = conditions.ToList(),
            Summary = tenant.Status?.Summary,
        };
        var written = await applier.ApplyStatusAsync(management, tenant, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        events.RecordStatus(tenant, written);
        return requeueAfter is null || report.RequeueAfter < requeueAfter ? report.RequeueAfter : requeueAfter;
    }

    private string Now() => StatusTime.Of(time.GetUtcNow());
}

/// <summary>Phase and condition Ready of a Tenant.</summary>
/// <param name="Phase">One of <see cref="TenantPhases"/>.</param>
/// <param name="Reason">Reason of condition Ready.</param>
/// <param name="Message">Its message.</param>
internal sealed record TenantProgress(string Phase, string Reason, string Message)
{
    /// <summary>The setup is complete.</summary>
    public static TenantProgress Ready { get; } = new(TenantPhases.Ready, TenantReasons.Reconciled, Messages.TenantReady);

    /// <summary>Status of condition Ready.</summary>
    public string ReadyStatus => ConditionStatus.Of(Phase == TenantPhases.Ready);

    /// <summary>The setup waits for another controller of the cluster.</summary>
    public static TenantProgress Pending(string reason, string message) => new(TenantPhases.Pending, reason, message);

    /// <summary>The setup needs an action of the administrator.</summary>
    public static TenantProgress Failed(string reason, string message) => new(TenantPhases.Failed, reason, message);

    /// <summary>The removal is in progress.</summary>
    public static TenantProgress Terminating(string message) => new(TenantPhases.Terminating, TenantReasons.Terminating, message);
}
