using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Manager.Services;
using KubeLB.Manager.Settings;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Backends;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Turns Routes into objects for Envoy Gateway. Watches Routes, what was generated from them, and settings; writes Services,
/// then, once the tenant's proxies serve them, the Gateway, HTTPRoute or GRPCRoute, removes what is no longer wanted (all of it if the
/// Route is refused), and reports in the Route's status.
/// </summary>
internal sealed class RouteReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    GeneratedObjects generatedObjects,
    PortAllocator ports,
    TenantSettingsResolver settings,
    RouteQuota quota,
    Applier applier,
    StatusDebouncer pace,
    ServiceDrain leaving,
    RouteSuccession succession,
    ProxyConfigurations configurations,
    ProxyAcknowledgements acknowledgements,
    RouteEvents events,
    TimeProvider time,
    ILogger<RouteReconciler> logger
) : IReconciler
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        using var reservation = ports.Begin(key);
        if (_routes.Get(key) is not { } route)
        {
            pace.Forget(key);
            leaving.Forget(key);
            acknowledgements.Forget(key);
            succession.Forget(key);
            return ReconcileResult.Done;
        }

        if (route.Metadata.DeletionTimestamp is not null)
        {
            acknowledgements.Forget(key);
            if (succession.TimeLeft(route) is { } wait)
            {
                return ReconcileResult.RequeueAfter(wait);
            }

            // What was generated goes first; its end is seen, and then so is the Route's.
            if (await generatedObjects.RemoveAsync(route, (_, _) => false, cancellationToken).ConfigureAwait(false))
            {
                await applier.RemoveFinalizerAsync(management, route, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
            }

            return ReconcileResult.Done;
        }

        route = await applier.EnsureFinalizerAsync(management, route, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        var translation = Translate(route, reservation);
        if (translation.Generated is null)
        {
            acknowledgements.Forget(key);
        }

        if (translation.WaitingFor is not null)
        {
            // Its name brings this key back.
            return ReconcileResult.Done;
        }

        var (status, requeueAfter) = await GenerateAsync(route, translation, cancellationToken).ConfigureAwait(false);
        if (status is null)
        {
            // The proxies answer within milliseconds; nothing is reported of that.
            return ReconcileResult.RequeueAfter(requeueAfter!.Value);
        }

        if (pace.TimeLeft(route, status) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        var written = await applier.ApplyStatusAsync(management, route, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        events.Tell(route, written);
        Tell(route, status);
        return requeueAfter is { } time ? ReconcileResult.RequeueAfter(time) : ReconcileResult.Done;
    }

    // The status remembers what was told before.
    private void Tell(Route before, RouteStatus now)
    {
        foreach (var problem in RouteStatusBuilder.Failures(now).Except(RouteStatusBuilder.Failures(before.Status)))
        {
            var origin = now.Resources?.Route;
            Log.NotInForce(
                logger,
                ResourceKey.Of(before),
                origin?.Kind,
                new ResourceKey(origin?.Namespace ?? "", origin?.Name ?? ""),
                problem
            );
        }
    }

    private async Task<(RouteStatus? Status, TimeSpan? RequeueAfter)> GenerateAsync(
        Route route,
        EnvoyGatewayTranslation translation,
        CancellationToken cancellationToken
    )
    {
        var services = new Dictionary<string, AppliedObject>(StringComparer.Ordinal);
        AppliedObject? generated = null;
        AppliedObject? policy = null;
        TimeSpan? stay = null;
        if (translation.IsRejected)
        {
            // Clients get what they would if it had been refused from the start, and its ports and names are free.
            await generatedObjects.RemoveAsync(route, (_, _) => false, cancellationToken).ConfigureAwait(false);
        }
        else if (translation.Generated is not null)
        {
            foreach (var plan in translation.Services)
            {
                services[plan.Key] = await generatedObjects.ApplyAsync(plan.Service, cancellationToken).ConfigureAwait(false);
            }

            var backends = StandingOfNewBackends(route, translation);
            if (backends != BackendAcknowledgement.Ready)
            {
                await BoundServicesAsync(route, translation, cancellationToken).ConfigureAwait(false);
                return backends.Rejection is { } rejection
                    ? (Held(route, translation, services, rejection), Delays.RouteRetry)
                    : (null, backends.Left);
            }

            generated = await generatedObjects.ApplyAsync(translation.Generated, cancellationToken).ConfigureAwait(false);
            acknowledgements.Forget(ResourceKey.Of(route));
            if (generated.Error is null && translation.Retries?.Policy is { } retries)
            {
                policy = await generatedObjects.ApplyAsync(retries, cancellationToken).ConfigureAwait(false);
            }

            events.ReportRepairs(route, translation, generated, services);
            var names = translation.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
            stay = StayOfOthers(route, translation, generated, names);
            await generatedObjects
                .RemoveAsync(
                    route,
                    (kind, name) => IsWanted(translation, names, kind, name) || (stay is not null && kind == V1Service.KubeKind),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        var now = StatusTime.Of(time.GetUtcNow());
        var outcome = new RouteOutcome(route, translation)
        {
            Generated = generated,
            Services = services,
            RetryPolicy = policy,
            Tenant = settings.TenantOf(route.Namespace),
        };
        var status = RouteStatusBuilder.Build(outcome, now);
        var isExhausted = translation.Problem is not null && !translation.IsRejected;
        var isRetryable =
            isExhausted || generated is { IsRetryable: true } || policy is { IsRetryable: true } || services.Values.Any(s => s.IsRetryable);
        return (status, isRetryable && !(stay < Delays.RouteRetry) ? Delays.RouteRetry : stay);
    }

    // What the generated route refers to already is served. What it does not yet is configured first.
    private BackendAcknowledgement StandingOfNewBackends(Route route, EnvoyGatewayTranslation translation)
    {
        if (translation.Generated is not IGatewayRoute desired)
        {
            return BackendAcknowledgement.Ready;
        }

        var key = ResourceKey.Of(route);
        var services = translation.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
        var added = PortsOf(desired).Where(p => services.Contains(p.Service)).ToHashSet();
        added.ExceptWith(generatedObjects.RouteOf(translation.Generated) is { } present ? PortsOf(present) : []);
        if (added.Count > 0)
        {
            // The Services have just been written; their events come a moment later.
            configurations.RefreshRoute(key);
        }

        return acknowledgements.Of(key, [.. added.Select(p => RoutePorts.NameOf(p.Service, p.Port))]);
    }

    // A Route that changes its backends again and again while it waits leaves a Service each time.
    private async Task BoundServicesAsync(Route route, EnvoyGatewayTranslation translation, CancellationToken cancellationToken)
    {
        if (generatedObjects.ServicesOf(route).Skip(translation.Services.Count + ServiceDrain.Most).Any())
        {
            var kept = translation.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
            kept.UnionWith(generatedObjects.RouteOf(translation.Generated!) is { } present ? PortsOf(present).Select(p => p.Service) : []);
            await generatedObjects
                .RemoveAsync(route, (kind, name) => kind != V1Service.KubeKind || kept.Contains(name), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private static IEnumerable<(string Service, int Port)> PortsOf(IGatewayRoute route) =>
        BackendReferences.Of(route).Where(b => b.IsService && b.Ref.Port is not null).Select(b => (b.Ref.Name, b.Ref.Port!.Value));

    private RouteStatus Held(
        Route route,
        EnvoyGatewayTranslation translation,
        Dictionary<string, AppliedObject> services,
        ProxyRejection rejection
    )
    {
        var now = StatusTime.Of(time.GetUtcNow());
        return RouteStatusBuilder.Build(new RouteOutcome(route, translation) { Services = services, ProxyRejection = rejection }, now);
    }

    private TimeSpan? StayOfOthers(Route route, EnvoyGatewayTranslation translation, AppliedObject generated, HashSet<string> names)
    {
        var key = ResourceKey.Of(route);
        var count = generatedObjects.ServicesOf(route).Count(s => !names.Contains(s.Name()));
        if (count > 0)
        {
            return leaving.TimeLeft(key, translation.Generated!.Kind, generated, count);
        }

        leaving.Forget(key);
        return null;
    }

    private EnvoyGatewayTranslation Translate(Route route, PortReservation reservation)
    {
        try
        {
            return EnvoyGatewayTranslator.Translate(
                route,
                settings.PolicyOf(route.Namespace),
                new ManagementView(management, quota, route.Namespace),
                reservation.Allocate
            );
        }
        catch (PortsExhaustedException e)
        {
            return EnvoyGatewayTranslation.Failed(RouteOrigin.Of(route), e.Message, RouteConditions.PortsExhausted);
        }
    }

    private static bool IsWanted(EnvoyGatewayTranslation translation, HashSet<string> services, string kind, string name) =>
        (kind == translation.Generated!.Kind && name == translation.Generated.Name)
        || (kind == BackendTrafficPolicy.KindName && name == translation.Retries?.Policy?.Name)
        || (kind == V1Service.KubeKind && services.Contains(name));
}
