using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.NodePorts;

/// <summary>
/// Maintains a node-port Service for each Service that an attached route uses, according to the index of routes by backend. An unused
/// node-port Service drains: it is deleted some time after the manager no longer reports a generated Service for it. Writes node-port
/// Services only; the key is the Service's.
/// </summary>
internal sealed class NodePortServiceReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    KindAvailability kinds,
    Applier applier,
    ITenantView view,
    TenantSettings settings,
    CcmOptions options,
    TimeProvider time
) : IReconciler
{
    private readonly DelayTracker _draining = new(time);
    private readonly DelayTracker _served = new(time);
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<V1Service> _services = tenant.Informer<V1Service>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var present = _services.Get(key);
        if (present is not null && HasNodePortService(key))
        {
            await applier.RemoveFinalizerAsync(tenant, present, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }

        var service = present is { Metadata.DeletionTimestamp: null } && NodePortService.IsNeededFor(present) ? present : null;
        if (
            service is not null
            && !IsUsed(key)
            && HasNodePortService(key)
            && await kinds.ProblemAsync(cancellationToken, RequiredKinds()).ConfigureAwait(false) is not null
        )
        {
            // Routes that use the Service may still exist.
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        TimeSpan? requeueAfter = null;
        if (service is null || IsUsed(key))
        {
            _draining.End(key);
            _served.End(key);
        }
        else if (!HasNodePortService(key))
        {
            service = null;
        }
        else if (ServedTimeLeft(key) is { } left)
        {
            // A change of the manager's report enqueues this key.
            _draining.End(key);
            requeueAfter = left;
        }
        else if ((requeueAfter = _draining.Left(key, "", options.DrainingNodePorts)) is null)
        {
            service = null;
        }

        var desired = service is null ? null : NodePortService.Build(service, view);
        foreach (var name in NodePortServiceNames.Candidates(key.Name))
        {
            if (
                name != desired?.Name()
                && _services.Get(key.Namespace, name) is { } nodePortService
                && NodePortService.IsNodePortServiceOf(nodePortService, key.Namespace, key.Name)
            )
            {
                await applier.DeleteAsync(tenant, nodePortService, cancellationToken).ConfigureAwait(false);
            }
        }

        if (desired is not null)
        {
            await applier.ApplyAsync(tenant, desired, ApplyMode.Subset, cancellationToken).ConfigureAwait(false);
        }

        return requeueAfter is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    private Type[] RequiredKinds() =>
        settings.EnforceReferenceGrants
            ? [typeof(HttpRoute), typeof(GrpcRoute), typeof(Gateway), typeof(ReferenceGrant)]
            : [typeof(HttpRoute), typeof(GrpcRoute), typeof(Gateway)];

    private bool HasNodePortService(ResourceKey service) =>
        NodePortService.Find(view, service.Namespace, service.Name) is { Metadata.DeletionTimestamp: null };

    // How long to wait for the manager to remove the generated Service; null if the manager reports none or the wait is over.
    private TimeSpan? ServedTimeLeft(ResourceKey service)
    {
        var routes = _routes
            .ByIndex(Indexes.ByServedService, Indexes.Key(service.Namespace, service.Name))
            .Where(r => r.Metadata.DeletionTimestamp is null)
            .ToList();
        if (routes.Exists(IsRejectedByProxy))
        {
            // The manager keeps the old backend until the proxies accept the new one, so the wait has no limit.
            _served.End(service);
        }

        return routes.Count > 0 ? _served.Left(service, "", Delays.NodePortDrainWithoutAnswer) : null;
    }

    private static bool IsRejectedByProxy(Route route) =>
        route.Status?.Conditions?.Exists(c => c is { Type: RouteConditions.Programmed, Reason: RouteConditions.ProxyRejected }) == true;

    private bool IsUsed(ResourceKey service)
    {
        var key = Indexes.Key(service.Namespace, service.Name);
        return tenant
            .Informer<HttpRoute>()
            .ByIndex(Indexes.ByBackendService, key)
            .Concat<IGatewayRoute>(tenant.Informer<GrpcRoute>().ByIndex(Indexes.ByBackendService, key))
            .Any(route => IsAttached(route) && new BackendGrants(route, view, settings).IsPermitted(service.Namespace, service.Name));
    }

    private bool IsAttached(IGatewayRoute route) =>
        route.Metadata.DeletionTimestamp is null && RouteAttachment.Evaluate(route, view, settings).Any(v => v.IsAttached);
}
