using k8s.Autorest;
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
    NodePortServiceErrors errors,
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

        var service = present is { Metadata.DeletionTimestamp: null } && NodePortService.MayBeNeededFor(present) ? present : null;
        if (
            service is not null
            && !IsNeeded(key, service)
            && HasNodePortService(key)
            && await kinds.ProblemAsync(cancellationToken, RequiredKinds()).ConfigureAwait(false) is not null
        )
        {
            // Routes that use the Service may still exist.
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        TimeSpan? requeueAfter = null;
        if (service is null || IsNeeded(key, service))
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

        if (desired is null)
        {
            errors.Clear(key);
        }
        else if (await WriteAsync(key, desired, cancellationToken).ConfigureAwait(false) is { } problem)
        {
            return ReconcileResult.Retry(problem);
        }

        return requeueAfter is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    // Returns why the API server rejected the Service; null if it did not.
    private async Task<string?> WriteAsync(ResourceKey key, V1Service desired, CancellationToken cancellationToken)
    {
        if (_services.Get(ResourceKey.Of(desired)) is { } other && !NodePortService.IsNodePortServiceOf(other, key.Namespace, key.Name))
        {
            errors.Record(key, Messages.NodePortServiceConflict(desired.Name()));
            return errors.Of(key);
        }

        try
        {
            await applier.ApplyAsync(tenant, desired, ApplyMode.Subset, cancellationToken).ConfigureAwait(false);
            errors.Clear(key);
            return null;
        }
        catch (HttpOperationException e)
        {
            errors.Record(key, e);
            if (errors.Of(key) is { } error)
            {
                return error;
            }

            throw;
        }
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

    // Whether an attached route uses a port that has no node port.
    private bool IsNeeded(ResourceKey key, V1Service service)
    {
        var index = Indexes.Key(key.Namespace, key.Name);
        return tenant
            .Informer<HttpRoute>()
            .ByIndex(Indexes.ByBackendService, index)
            .Concat<IGatewayRoute>(tenant.Informer<GrpcRoute>().ByIndex(Indexes.ByBackendService, index))
            .Any(route =>
                NodePortService.IsNeededFor(service, BackendReferences.PortsOf(route, key.Namespace, key.Name))
                && IsAttached(route)
                && new BackendGrants(route, view, settings).IsPermitted(key.Namespace, key.Name)
            );
    }

    private bool IsAttached(IGatewayRoute route) =>
        route.Metadata.DeletionTimestamp is null && RouteAttachment.Evaluate(route, view, settings).Any(v => v.IsAttached);
}
