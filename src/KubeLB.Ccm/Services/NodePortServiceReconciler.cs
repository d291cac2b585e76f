using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Services;

/// <summary>
/// Keeps the node-port twin of a Service for as long as a route of ours uses the Service. Its users are counted through the
/// index of routes by backend, so that the count is right after a restart and across namespaces. One that no route uses any more stays
/// until the manager reports that nothing generated leads to it, and a moment longer. Writes twins only.
/// </summary>
internal sealed class NodePortServiceReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    SourceKinds kinds,
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
        if (present is not null && HasTwin(key))
        {
            await applier.RemoveFinalizerAsync(tenant, present, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }

        var service = present is { Metadata.DeletionTimestamp: null } && NodePortService.IsNeededFor(present) ? present : null;
        if (
            service is not null
            && !IsUsed(key)
            && HasTwin(key)
            && await kinds.ProblemAsync(cancellationToken, NeedsToRemove()).ConfigureAwait(false) is not null
        )
        {
            // Its users may exist all the same.
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        TimeSpan? stay = null;
        if (service is null || IsUsed(key))
        {
            _draining.End(key);
            _served.End(key);
        }
        else if (!HasTwin(key))
        {
            service = null;
        }
        else if (TimeLeftOfServed(key) is { } longest)
        {
            // The generated route leads here until the manager has rewritten it; its status brings this key back.
            _draining.End(key);
            stay = longest;
        }
        else if ((stay = _draining.Left(key, "", options.DrainingNodePorts)) is null)
        {
            service = null;
        }

        var desired = service is null ? null : NodePortService.Build(service, view);
        foreach (var name in NodePortServiceNames.Candidates(key.Name))
        {
            if (
                name != desired?.Name()
                && _services.Get(key.Namespace, name) is { } twin
                && NodePortService.IsNodePortServiceOf(twin, key.Namespace, key.Name)
            )
            {
                await applier.DeleteAsync(tenant, twin, cancellationToken).ConfigureAwait(false);
            }
        }

        if (desired is not null)
        {
            await applier.ApplyAsync(tenant, desired, ApplyMode.Subset, cancellationToken).ConfigureAwait(false);
        }

        return stay is { } left ? ReconcileResult.RequeueAfter(left) : ReconcileResult.Done;
    }

    private Type[] NeedsToRemove() =>
        settings.EnforceReferenceGrants
            ? [typeof(HttpRoute), typeof(GrpcRoute), typeof(Gateway), typeof(ReferenceGrant)]
            : [typeof(HttpRoute), typeof(GrpcRoute), typeof(Gateway)];

    private bool HasTwin(ResourceKey service) =>
        NodePortService.Find(view, service.Namespace, service.Name) is { Metadata.DeletionTimestamp: null };

    private TimeSpan? TimeLeftOfServed(ResourceKey service)
    {
        var routes = _routes
            .ByIndex(Indexes.ByServedService, Indexes.Key(service.Namespace, service.Name))
            .Where(r => r.Metadata.DeletionTimestamp is null)
            .ToList();
        if (routes.Exists(IsRejected))
        {
            // The manager is there, and serves the old backend until the proxies accept the new one.
            _served.End(service);
        }

        return routes.Count > 0 ? _served.Left(service, "", Delays.NodePortDrainWithoutAnswer) : null;
    }

    private static bool IsRejected(Route route) =>
        route.Status?.Conditions?.Exists(c => c is { Type: RouteConditions.Programmed, Reason: RouteConditions.ProxyRejected }) == true;

    private bool IsUsed(ResourceKey service)
    {
        var key = Indexes.Key(service.Namespace, service.Name);
        return RouteKinds
            .ByIndex(tenant, Indexes.ByBackendService, key)
            .Any(route => IsServed(route) && new BackendGrants(route, view, settings).IsPermitted(service.Namespace, service.Name));
    }

    private bool IsServed(IGatewayRoute route) =>
        route.Metadata.DeletionTimestamp is null && RouteAttachment.Evaluate(route, view, settings).Any(v => v.IsAttached);
}
