using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Routing;

/// <summary>
/// Writes a Route to the management cluster for each Gateway of the tenant, and copies its status back: addresses, conditions, listeners.
/// It sets no finalizer: the Route of a deleted Gateway is an orphan, which is deleted when it is observed, also after a restart.
/// </summary>
internal sealed class GatewayReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    ManagementRoutes managementRoutes,
    KindAvailability kinds,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    NodeAddressSettings nodeSettings,
    GenerationLatency latency,
    TimeProvider time
) : IReconciler
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();

    private Rejection? NodesProblem => NodeAddressProblem.Of(_addresses.Get(settings.TenantNamespace, Addresses.DefaultName), nodeSettings);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var present = _gateways.Get(key);
        if (await kinds.ProblemAsync(cancellationToken, KindsFor(key, present)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        if (present is not { } gateway)
        {
            await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
            events.Forget(key);
            latency.Forget(Gateway.KindName, key);
            return ReconcileResult.Done;
        }

        gateway = await applier.RemoveFinalizerAsync(tenant, gateway, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, gateway.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        var ownership = GatewayOwnership.Evaluate(gateway, view, settings);
        events.RecordOwnership(gateway, ownership);
        if (gateway.Metadata.DeletionTimestamp is null && GatewayTranslator.Translate(gateway, view, settings) is { } desired)
        {
            latency.Start(
                Gateway.KindName,
                key,
                gateway.Metadata.Generation,
                gateway.Status is { } reported && IsDefinite(reported, gateway)
            );
            var (route, rejection) = await managementRoutes
                .ApplyAsync(Gateway.KindName, key, desired, cancellationToken)
                .ConfigureAwait(false);
            var now = StatusTime.Of(time.GetUtcNow());
            var status = rejection is null
                ? GatewayStatusTranslator.Translate(gateway, route, ListenerCertificates.Evaluate(gateway, view), now, NodesProblem)
                : GatewayStatusTranslator.Reject(gateway, rejection.ToRejection(), now);
            await WriteStatusAsync(gateway, status, cancellationToken).ConfigureAwait(false);
            if (rejection is not null)
            {
                return ReconcileResult.RequeueAfter(rejection.RequeueAfter);
            }
        }
        else if (gateway.Metadata.DeletionTimestamp is null && settings.IsGatewayControllerEnabled && ownership.IsOwned)
        {
            await ReportInvalidListenersAsync(key, gateway, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            latency.Cancel(Gateway.KindName, key);
            await ReleaseAsync(key, gateway, cancellationToken).ConfigureAwait(false);
            ReconcileTrace.Current?.CompleteChange(ChangeResults.NotServed);
        }

        return ownership.TimeLeft is { } left ? ReconcileResult.RequeueAfter(left) : ReconcileResult.Done;
    }

    // Without a ReferenceGrant, listeners lose certificates of another namespace.
    private Type[] KindsFor(ResourceKey key, Gateway? gateway) =>
        gateway is not null
        && Indexes.ReferencedNamespaces(gateway).Any()
        && managementRoutes.Find(Gateway.KindName, key, gateway.Metadata.Uid) is not null
            ? [typeof(Gateway), typeof(V1Secret), typeof(ReferenceGrant)]
            : [typeof(Gateway), typeof(V1Secret)];

    // For a Gateway of KubeLB without a valid listener: reports its listeners and removes its Route.
    private async Task ReportInvalidListenersAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        await WriteStatusAsync(gateway, InvalidListeners.Status(gateway, StatusTime.Of(time.GetUtcNow())), cancellationToken)
            .ConfigureAwait(false);
        await managementRoutes.RemoveObsoleteAsync(Gateway.KindName, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
    }

    // For a Gateway that is being deleted or that KubeLB does not serve: resets the status that KubeLB wrote to that of a new Gateway, and
    // removes its Route.
    private async Task ReleaseAsync(ResourceKey key, Gateway gateway, CancellationToken cancellationToken)
    {
        if (
            gateway.Metadata.DeletionTimestamp is null
            && GatewayStatusTranslator.Release(
                gateway,
                managementRoutes.Find(Gateway.KindName, key, gateway.Metadata.Uid),
                ListenerCertificates.Evaluate(gateway, view),
                StatusTime.Of(time.GetUtcNow()),
                NodesProblem
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
        events.RecordStatus(gateway, written);
        if (IsDefinite(status, gateway))
        {
            latency.End(Gateway.KindName, ResourceKey.Of(gateway), gateway.Metadata.Generation);
            ReconcileTrace.Current?.CompleteChange(ChangeResults.Reported);
        }
    }

    // Whether the current generation is reported to be served or not.
    private static bool IsDefinite(GatewayStatus status, Gateway gateway) =>
        status.Conditions?.Find(c => c.Type == GatewayConditions.Programmed) is { Status: not ConditionStatus.Unknown } programmed
        && programmed.ObservedGeneration >= gateway.Metadata.Generation;
}

/// <summary>
/// Sets condition Accepted and the supported features on the GatewayClasses of KubeLB's controller; others are never written.
/// </summary>
internal sealed class GatewayClassReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    Applier applier,
    TenantSettings settings,
    TimeProvider time
) : IReconciler
{
    private readonly IInformer<GatewayClass> _classes = tenant.Informer<GatewayClass>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (
            _classes.Get(key) is { } gatewayClass
            && gatewayClass.Metadata.DeletionTimestamp is null
            && GatewayOwnership.HasKubelbController(gatewayClass)
        )
        {
            var status = GatewayClassStatusTranslator.Translate(gatewayClass, StatusTime.Of(time.GetUtcNow()));
            status.SupportedFeatures = SupportedFeatures.Of(settings);
            await applier
                .PatchStatusAsync(tenant, gatewayClass, ApiJson.ToJson(status), guarded: true, cancellationToken)
                .ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}
