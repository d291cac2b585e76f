using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Conditions;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Sets a Tenant up in the management cluster and takes it down again: namespace, ServiceAccount, Role, RoleBinding, TenantState.
/// Owns the Tenant's status. Removal closes the namespace, removes its
/// Routes with all that was generated from them, waits for its end, and lets the Tenant go.
/// </summary>
internal sealed class TenantReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    Applier applier,
    TimeProvider time) : IReconciler
{
    private const string ReadyType = "Ready";
    private static readonly string Version = "v" + typeof(TenantReconciler).Assembly.GetName().Version!.ToString(3);

    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<V1Namespace> _namespaces = management.Informer<V1Namespace>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_tenants.Get(key) is not { } tenant)
        {
            return ReconcileResult.Done;
        }

        if (tenant.Metadata.DeletionTimestamp is not null)
        {
            await RemoveAsync(tenant, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        tenant = await applier.EnsureFinalizerAsync(management, tenant, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        try
        {
            await SetUpAsync(tenant, cancellationToken).ConfigureAwait(false);
            await ReportAsync(tenant, TenantPhases.Ready, ConditionStatus.True, "Reconciled", "Tenant reconciled successfully", cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response is not null)
        {
            await ReportAsync(tenant, TenantPhases.Failed, ConditionStatus.False, "ReconciliationFailed", e.Message, cancellationToken).ConfigureAwait(false);
            throw;
        }

        return ReconcileResult.Done;
    }

    private async Task SetUpAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        await applier.ApplyAsync(management, TenantObjects.Namespace(tenant), cancellationToken).ConfigureAwait(false);
        await applier.ApplyAsync(management, TenantObjects.ServiceAccount(tenant), cancellationToken).ConfigureAwait(false);
        await applier.ApplyAsync(management, TenantObjects.Role(tenant), cancellationToken).ConfigureAwait(false);
        await applier.ApplyAsync(management, TenantObjects.RoleBinding(tenant), cancellationToken).ConfigureAwait(false);

        var state = (await applier.ApplyAsync(management, TenantObjects.State(tenant), cancellationToken).ConfigureAwait(false)).Object;
        var status = TenantObjects.StateStatus(state, settings.IsGatewayApiDisabled(TenantNames.Namespace(tenant.Name)), Version, Now());
        await applier.ApplyStatusAsync(management, state, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var name = TenantNames.Namespace(tenant.Name);

        // The namespace is closed first: a CCM that still runs would put back what is removed. Only one that was made for this
        // tenant goes with it.
        var isOurs = _namespaces.Get("", name)?.Metadata.OwnerReferences?.Any(o => o.Uid == tenant.Metadata.Uid) == true;
        if (isOurs && _namespaces.Get("", name) is { Metadata.DeletionTimestamp: null } open)
        {
            await applier.DeleteAsync(management, open, cancellationToken).ConfigureAwait(false);
        }

        foreach (var route in _routes.ByIndex(Indexes.ByNamespace, name).Where(r => r.Metadata.DeletionTimestamp is null))
        {
            await applier.DeleteAsync(management, route, cancellationToken).ConfigureAwait(false);
        }

        var left = _routes.ByIndex(Indexes.ByNamespace, name).Count;
        if (left > 0)
        {
            await ReportWaitAsync(tenant, $"Waiting for {left} Route(s) in namespace {name} to be removed.", cancellationToken).ConfigureAwait(false);
        }
        else if (isOurs && _namespaces.Get("", name) is not null)
        {
            await ReportWaitAsync(tenant, $"Waiting for namespace {name} to be removed.", cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await applier.RemoveFinalizerAsync(management, tenant, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task ReportWaitAsync(Tenant tenant, string message, CancellationToken cancellationToken) =>
        ReportAsync(tenant, TenantPhases.Terminating, ConditionStatus.False, "Terminating", message, cancellationToken);

    private async Task ReportAsync(Tenant tenant, string phase, string ready, string reason, string message, CancellationToken cancellationToken)
    {
        var generation = tenant.Metadata.Generation;
        var status = new TenantStatus
        {
            ObservedGeneration = generation,
            Phase = phase,
            Conditions = new ConditionSet(tenant.Status?.Conditions, Now()).Set(ReadyType, ready, reason, message, generation).ToList(),
        };
        await applier.ApplyStatusAsync(management, tenant, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
    }

    private string Now() => StatusTime.Of(time.GetUtcNow());
}
