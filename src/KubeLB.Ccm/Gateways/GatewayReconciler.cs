using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Ccm.Events;
using KubeLB.Ccm.Routes;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Gateways;

/// <summary>
/// Carries the tenant's Gateways to the management cluster and their status back: addresses, conditions, listeners. Writes the
/// Route there; here, the finalizer and the status.
/// </summary>
internal sealed class GatewayReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    ManagementRoutes managementRoutes,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    TimeProvider time) : IReconciler
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var gateway = _gateways.Get(key);
        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, gateway?.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        if (gateway is null)
        {
            return ReconcileResult.Done;
        }

        if (gateway.Metadata.DeletionTimestamp is null && GatewayTranslator.Translate(gateway, view, settings) is { } desired)
        {
            gateway = await applier.EnsureFinalizerAsync(tenant, gateway, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
            var (route, refusal) = await managementRoutes.ApplyAsync(Gateway.KindName, key, desired, cancellationToken).ConfigureAwait(false);
            var now = StatusTime.Of(time.GetUtcNow());
            var status = refusal is null
                ? GatewayStatusTranslator.Translate(gateway, route, ListenerCertificates.Evaluate(gateway, view), now)
                : GatewayStatusTranslator.Refuse(gateway, refusal.Message, now);
            await WriteStatusAsync(gateway, status, cancellationToken).ConfigureAwait(false);
            if (refusal is not null)
            {
                return ReconcileResult.RequeueAfter(refusal.Pause);
            }
        }
        else if (gateway.Metadata.DeletionTimestamp is null && settings.CarriesGateways && GatewayOwnership.IsOurs(gateway, view, settings))
        {
            await RefuseAsync(key, gateway, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await ReleaseAsync(key, gateway, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    // Ours, but with nothing that could be carried.
    private async Task RefuseAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        gateway = await WriteStatusAsync(gateway, RefusedListeners.Status(gateway, StatusTime.Of(time.GetUtcNow())), cancellationToken).ConfigureAwait(false);
        await RemoveAsync(key, gateway, cancellationToken).ConfigureAwait(false);
    }

    // Whatever the reason why it is not ours (any more), nothing is left behind, and no status claims what is not so.
    private async Task ReleaseAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        if (gateway.Metadata.DeletionTimestamp is null
            && GatewayStatusTranslator.Release(
                gateway,
                managementRoutes.Find(Gateway.KindName, key, gateway.Metadata.Uid),
                ListenerCertificates.Evaluate(gateway, view),
                StatusTime.Of(time.GetUtcNow())) is { } status)
        {
            gateway = await WriteStatusAsync(gateway, status, cancellationToken).ConfigureAwait(false);
        }

        await RemoveAsync(key, gateway, cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        if (await managementRoutes.RemoveAsync(Gateway.KindName, key, gateway.Metadata.Uid, cancellationToken).ConfigureAwait(false))
        {
            await applier.RemoveFinalizerAsync(tenant, gateway, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Gateway> WriteStatusAsync(Gateway gateway, GatewayStatus status, CancellationToken cancellationToken)
    {
        var written = await applier.ApplyStatusAsync(tenant, gateway, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        events.Tell(gateway, written);
        return written.Object;
    }
}
