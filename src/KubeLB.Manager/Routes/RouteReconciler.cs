using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Metrics;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Manager.Services;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Generates the objects for Envoy Gateway from Routes: plans them (<see cref="RoutePlanner"/>), writes Services and, after the tenant's
/// proxies serve them (<see cref="NewBackends"/>), the Gateway, HTTPRoute or GRPCRoute, removes obsolete objects (all of them if the Route
/// is rejected), and reports in the Route's status (<see cref="RouteReporter"/>).
/// </summary>
internal sealed class RouteReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    PortAllocator ports,
    RoutePlanner planner,
    GeneratedObjects generatedObjects,
    NewBackends newBackends,
    ServiceDrain drain,
    RouteSuccession succession,
    RouteEvents events,
    RouteReporter reporter,
    GenerationLatency latency,
    Applier applier,
    TimeProvider time
) : IReconciler
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        using var reservation = ports.Begin(key);
        if (_routes.Get(key) is not { } route)
        {
            reporter.Forget(key);
            drain.Forget(key);
            newBackends.Forget(key);
            succession.Forget(key);
            foreach (var kind in RouteState.KindLabels)
            {
                latency.Forget(kind, key);
            }

            return ReconcileResult.Done;
        }

        if (route.Metadata.DeletionTimestamp is not null)
        {
            return await RemoveAsync(key, route, cancellationToken).ConfigureAwait(false);
        }

        route = await applier.EnsureFinalizerAsync(management, route, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        latency.Start(
            RouteState.KindOf(route),
            key,
            route.Metadata.Generation,
            route.Status?.Conditions?.Exists(c => c.ObservedGeneration >= route.Metadata.Generation) == true,
            route.Metadata.Annotations?.TryGetValue(Annotations.TraceParent, out var traceParent) == true ? traceParent : null
        );
        if (ReconcileTrace.Current?.Change is { } change && RouteOrigin.Of(route) is { } origin)
        {
            change.SetSource(origin.Namespace, origin.Name);
        }

        var plan = planner.Plan(route, reservation);
        if (plan.Generated is null)
        {
            newBackends.Forget(key);
            latency.Cancel(RouteState.KindOf(route), key);
        }

        if (plan.WaitingFor is not null)
        {
            // The Gateway's Route enqueues this key when its generated name is known.
            reporter.ExpectNothing(key);
            return ReconcileResult.Done;
        }

        var written = await WriteAsync(route, plan, new WorkSlice(time), cancellationToken).ConfigureAwait(false);
        return written.IsPartial ? ReconcileResult.Continue
            : written.Backends is { Left: { } left } ? ReconcileResult.RequeueAfter(left)
            : await reporter.ReportAsync(route, plan, written, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReconcileResult> RemoveAsync(ResourceKey key, Route route, CancellationToken cancellationToken)
    {
        newBackends.Forget(key);
        reporter.ExpectNothing(key);
        if (succession.TimeLeft(route) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        // The deletion of the last generated object enqueues this key.
        if (await generatedObjects.RemoveAsync(route, (_, _) => false, cancellationToken).ConfigureAwait(false))
        {
            await applier.RemoveFinalizerAsync(management, route, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    private async Task<WriteResult> WriteAsync(
        Route route,
        EnvoyGatewayTranslation plan,
        WorkSlice slice,
        CancellationToken cancellationToken
    )
    {
        var services = new Dictionary<string, AppliedObject>(StringComparer.Ordinal);
        if (plan.IsRejected)
        {
            // This frees the Route's ports and names. Clients get the response for a missing route.
            if (plan.Parked is not null)
            {
                await generatedObjects.ApplyAsync(plan.Parked, cancellationToken).ConfigureAwait(false);
            }

            await generatedObjects
                .RemoveAsync(route, (kind, name) => kind == plan.Parked?.Kind && name == plan.Parked.Name, cancellationToken)
                .ConfigureAwait(false);
        }

        if (plan.IsRejected || plan.Generated is null)
        {
            return new WriteResult(services);
        }

        foreach (var service in plan.Services)
        {
            // Only after progress: what failed, or takes longer than a slice to compare, would start again forever.
            if (slice.IsUsedUp && services.Values.Any(s => s.IsWritten))
            {
                return new WriteResult(services) { IsPartial = true };
            }

            services[service.Key] = await generatedObjects.ApplyAsync(service.Service, cancellationToken).ConfigureAwait(false);
        }

        var backends = newBackends.AcknowledgementOf(route, plan);
        if (backends != BackendAcknowledgement.Ready)
        {
            if (backends.Rejection is { } rejection)
            {
                ReconcileTrace.Current?.Change?.EndWait(Waits.Proxies, rejection.Message);
            }

            await newBackends.RemoveSurplusServicesAsync(route, plan, cancellationToken).ConfigureAwait(false);
            return new WriteResult(services) { Backends = backends };
        }

        ReconcileTrace.Current?.Change?.EndWait(Waits.Proxies);

        // Before the first one, so that a parentRef that moves from one to another is served all the time.
        var further = new List<AppliedObject>();
        foreach (var part in plan.FurtherRoutes)
        {
            further.Add(await generatedObjects.ApplyAsync(part, cancellationToken).ConfigureAwait(false));
        }

        var generated = (await generatedObjects.ApplyAsync(plan.Generated, cancellationToken).ConfigureAwait(false)).With(further);
        newBackends.Forget(ResourceKey.Of(route));
        if (generated.Error is null)
        {
            latency.End(RouteState.KindOf(route), ResourceKey.Of(route), route.Metadata.Generation);
        }

        var policy =
            generated.Error is null && plan.Retries?.Policy is { } retries
                ? await generatedObjects.ApplyAsync(retries, cancellationToken).ConfigureAwait(false)
                : null;
        events.RecordRepairs(route, plan, generated, services);
        var drainTime = await RemoveObsoleteAsync(route, plan, generated, cancellationToken).ConfigureAwait(false);
        return new WriteResult(services)
        {
            Generated = generated,
            Policy = policy,
            DrainTime = drainTime,
        };
    }

    // Returns how long obsolete Services are still kept; null if none are kept.
    private async Task<TimeSpan?> RemoveObsoleteAsync(
        Route route,
        EnvoyGatewayTranslation plan,
        AppliedObject generated,
        CancellationToken cancellationToken
    )
    {
        var key = ResourceKey.Of(route);
        var names = plan.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
        var obsolete = generatedObjects.ServicesOf(route).Count(s => !names.Contains(s.Name()));
        TimeSpan? drainTime = null;
        if (obsolete > 0)
        {
            drainTime = drain.TimeLeft(key, plan.Generated!.Kind, generated, obsolete, plan.IsParked);
        }
        else
        {
            drain.Forget(key);
        }

        await generatedObjects
            .RemoveAsync(
                route,
                (kind, name) => IsPlanned(plan, names, kind, name) || (drainTime is not null && kind == V1Service.KubeKind),
                cancellationToken
            )
            .ConfigureAwait(false);
        return drainTime;
    }

    private static bool IsPlanned(EnvoyGatewayTranslation plan, HashSet<string> services, string kind, string name) =>
        (kind == plan.Generated!.Kind && (name == plan.Generated.Name || plan.FurtherRoutes.Any(r => r.Name == name)))
        || (kind == BackendTrafficPolicy.KindName && name == plan.Retries?.Policy?.Name)
        || (kind == V1Service.KubeKind && services.Contains(name));
}

/// <summary>Result of writing the objects generated from a Route.</summary>
/// <param name="Services">Results of the Services, by their key in the plan.</param>
internal sealed record WriteResult(IReadOnlyDictionary<string, AppliedObject> Services)
{
    /// <summary>Result of the Gateway, HTTPRoute or GRPCRoute; null if it was not written.</summary>
    public AppliedObject? Generated { get; init; }

    /// <summary>Result of the BackendTrafficPolicy; null if it was not written.</summary>
    public AppliedObject? Policy { get; init; }

    /// <summary>Whether the time of a slice was used up before everything was written.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Whether the proxies have acknowledged new backends; the route is written only after that.</summary>
    public BackendAcknowledgement Backends { get; init; } = BackendAcknowledgement.Ready;

    /// <summary>How long obsolete Services are still kept; null if none are kept.</summary>
    public TimeSpan? DrainTime { get; init; }

    /// <summary>Whether a later attempt may succeed without a change of the tenant's object.</summary>
    public bool IsRetryable =>
        Generated is { IsRetryable: true } || Policy is { IsRetryable: true } || Services.Values.Any(s => s.IsRetryable);
}
