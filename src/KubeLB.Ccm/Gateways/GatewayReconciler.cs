using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Events;
using KubeLB.Ccm.Hosting;
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
/// Carries the tenant's Gateways to the management cluster and their status back: addresses, conditions, listeners. Writes the Route there
/// and the status here. It sets no finalizer: the Route of a Gateway that is gone is an orphan, which is deleted when it is seen, also
/// after a restart.
/// </summary>
internal sealed class GatewayReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    ManagementRoutes managementRoutes,
    SourceKinds kinds,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    TimeProvider time
) : IReconciler
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var present = _gateways.Get(key);
        if (await kinds.ProblemAsync(cancellationToken, NeedsOf(key, present)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        if (present is not { } gateway)
        {
            await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
            events.Forget(key);
            return ReconcileResult.Done;
        }

        gateway = await applier.RemoveFinalizerAsync(tenant, gateway, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, gateway.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        var ownership = GatewayOwnership.Evaluate(gateway, view, settings);
        events.Tell(gateway, ownership);
        if (gateway.Metadata.DeletionTimestamp is null && GatewayTranslator.Translate(gateway, view, settings) is { } desired)
        {
            var (route, refusal) = await managementRoutes
                .ApplyAsync(Gateway.KindName, key, desired, cancellationToken)
                .ConfigureAwait(false);
            var now = StatusTime.Of(time.GetUtcNow());
            var status = refusal is null
                ? GatewayStatusTranslator.Translate(gateway, route, ListenerCertificates.Evaluate(gateway, view), now)
                : GatewayStatusTranslator.Reject(gateway, refusal.ToRejection(), now);
            await WriteStatusAsync(gateway, status, cancellationToken).ConfigureAwait(false);
            if (refusal is not null)
            {
                return ReconcileResult.RequeueAfter(refusal.Pause);
            }
        }
        else if (gateway.Metadata.DeletionTimestamp is null && settings.IsGatewayControllerEnabled && ownership.IsOwned)
        {
            await AuthorizeAsync(key, gateway, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await ReleaseAsync(key, gateway, cancellationToken).ConfigureAwait(false);
        }

        return ownership.TimeLeft is { } left ? ReconcileResult.RequeueAfter(left) : ReconcileResult.Done;
    }

    // A grant that is missing takes certificates of another namespace from what is served.
    private Type[] NeedsOf(ResourceKey key, Gateway? gateway) =>
        gateway is not null
        && ReferenceIndexes.ReferencedNamespaces(gateway).Any()
        && managementRoutes.Find(Gateway.KindName, key, gateway.Metadata.Uid) is not null
            ? [typeof(Gateway), typeof(V1Secret), typeof(ReferenceGrant)]
            : [typeof(Gateway), typeof(V1Secret)];

    // Ours, but with nothing that could be carried.
    private async Task AuthorizeAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        await WriteStatusAsync(gateway, InvalidListeners.Status(gateway, StatusTime.Of(time.GetUtcNow())), cancellationToken)
            .ConfigureAwait(false);
        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
    }

    // Whatever the reason why it is not ours (any more), nothing is left behind, and no status claims what is not so.
    private async Task ReleaseAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        if (
            gateway.Metadata.DeletionTimestamp is null
            && GatewayStatusTranslator.Release(
                gateway,
                managementRoutes.Find(Gateway.KindName, key, gateway.Metadata.Uid),
                ListenerCertificates.Evaluate(gateway, view),
                StatusTime.Of(time.GetUtcNow())
            )
                is { } status
        )
        {
            await WriteStatusAsync(gateway, status, cancellationToken).ConfigureAwait(false);
        }

        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteStatusAsync(Gateway gateway, GatewayStatus status, CancellationToken cancellationToken)
    {
        var written = await applier.ApplyStatusAsync(tenant, gateway, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        events.Tell(gateway, written);
    }
}
