using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Settings;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Events;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Routes;

/// <summary>Reports the result of a reconcile in the Route's status, Events and the log.</summary>
internal sealed class RouteReporter(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    GatewayClasses classes,
    EnvoyGatewayReports reports,
    TenantStatusWriter statuses,
    StatusDebouncer debouncer,
    RouteEvents events,
    TimeProvider time,
    ILogger<RouteReporter> logger
)
{
    private readonly IInformer<Gateway> _gateways = management.Informer<Gateway>();

    /// <summary>Writes the status, unless it is debounced.</summary>
    public async Task<ReconcileResult> ReportAsync(
        Route route,
        EnvoyGatewayTranslation plan,
        WriteResult written,
        CancellationToken cancellationToken
    )
    {
        var status = StatusOf(route, plan, written);
        reports.Update(
            ResourceKey.Of(route),
            IsReported(route, plan) ? written.Generated?.Generation : null,
            written.Generated is { } generated ? StatusWriteDecision.ObservedGeneration(plan.Generated?.Kind, generated) : null
        );
        var isReported = TraceReport(plan, written);
        if (debouncer.TimeLeft(route, status) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        var (applied, delay) = await statuses.WriteAsync(route, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        if (applied is null)
        {
            return ReconcileResult.RequeueAfter(delay!.Value);
        }

        if (isReported)
        {
            ReconcileTrace.Current?.CompleteChange(ChangeResults.Reported);
        }

        events.RecordStatus(route, applied);
        LogFailures(route, status);
        return RequeueAfter(plan, written) is { } retry ? ReconcileResult.RequeueAfter(retry) : ReconcileResult.Done;
    }

    /// <summary>Records that Envoy Gateway has nothing to report on the object of a Route.</summary>
    public void ExpectNothing(ResourceKey route) => reports.Update(route);

    /// <summary>Removes the state of a deleted Route.</summary>
    public void Forget(ResourceKey route)
    {
        debouncer.Forget(route);
        statuses.Forget<Route>(route);
        reports.Update(route);
    }

    // Whether the status is the result of the change: nothing was written, writing failed, or Envoy Gateway has reported.
    private static bool TraceReport(EnvoyGatewayTranslation plan, WriteResult written)
    {
        var change = ReconcileTrace.Current?.Change;
        if (
            written.Generated is not { Error: null } generated
            || plan.IsParked
            || StatusWriteDecision.HasReported(plan.Generated?.Kind, generated)
        )
        {
            change?.EndWait(Waits.EnvoyGateway);
            return true;
        }

        change?.BeginWait(Waits.EnvoyGateway);
        return false;
    }

    // Envoy Gateway reports on Gateways of a class that it has accepted, and on routes with such a parent.
    private bool IsReported(Route route, EnvoyGatewayTranslation plan) =>
        !plan.IsParked
        && classes.ProblemOf(settings.PolicyOf(route.Namespace)) is null
        && (
            plan.Generated is not IGatewayRoute generated
            || generated.ParentRefs.Exists(p => _gateways.Get(p.Namespace ?? route.Namespace, p.Name) is not null)
        );

    // If a proxy rejected the backends, the previously generated object is not changed.
    private RouteStatus StatusOf(Route route, EnvoyGatewayTranslation plan, WriteResult written)
    {
        var outcome = new RouteOutcome(route, plan) { Services = written.Services };
        return RouteStatusBuilder.Build(
            written.Backends.Rejection is { } rejection
                ? outcome with
                {
                    ProxyRejection = rejection,
                }
                : outcome with
                {
                    Generated = written.Generated,
                    RetryPolicy = written.Policy,
                    Tenant = settings.TenantOf(route.Namespace),
                    ClassProblem = classes.ProblemOf(settings.PolicyOf(route.Namespace)),
                },
            StatusTime.Of(time.GetUtcNow())
        );
    }

    private static TimeSpan? RequeueAfter(EnvoyGatewayTranslation plan, WriteResult written)
    {
        var isExhausted = plan is { Problem: not null, IsRejected: false, Generated: null };
        var isRetried = written.Backends.Rejection is not null || isExhausted || written.IsRetryable;
        return isRetried && !(written.DrainTime < Delays.RouteRetry) ? Delays.RouteRetry : written.DrainTime;
    }

    // The previous status shows which failures are new.
    private void LogFailures(Route before, RouteStatus now)
    {
        foreach (var problem in RouteStatusBuilder.Failures(now).Except(RouteStatusBuilder.Failures(before.Status)))
        {
            var origin = now.Resources?.Route;
            Log.RouteFailed(
                logger,
                ResourceKey.Of(before),
                origin?.Kind,
                new ResourceKey(origin?.Namespace ?? "", origin?.Name ?? ""),
                problem
            );
        }
    }
}

/// <summary>Records Events on Routes, for administrators of the management cluster.</summary>
internal sealed class RouteEvents([FromKeyedServices(ManagementCluster.Name)] EventRecorder recorder)
{
    /// <summary>Source component of the Events.</summary>
    public const string Component = "kubelb-manager";

    /// <summary>
    /// The limit of the Events of a tenant's objects: half of the recorder's queue, so that one tenant does not displace the
    /// Events of others.
    /// </summary>
    public static readonly WriteLimit PerTenant = new(500, TimeSpan.FromSeconds(1));

    /// <summary>Reason: another client changed or deleted a generated object.</summary>
    public const string Repaired = "Repaired";

    /// <summary>Records the changes of a written status.</summary>
    /// <param name="before">The Route before the write.</param>
    /// <param name="written">Result of the write.</param>
    public void RecordStatus(Route before, Applied<Route> written)
    {
        if (written.Outcome == ApplyOutcome.Unchanged)
        {
            return;
        }

        foreach (var change in GeneratedObjectEvents.Between(before.Status, written.Object.Status))
        {
            recorder.Record(written.Object, change.IsWarning ? EventType.Warning : EventType.Normal, change.Reason, change.Message);
        }
    }

    /// <summary>Records which generated objects another client had changed or deleted.</summary>
    /// <param name="route">The Route with its previous status.</param>
    /// <param name="plan">The planned objects.</param>
    /// <param name="generated">Result of the Gateway, HTTPRoute or GRPCRoute.</param>
    /// <param name="services">Results of the Services, by their key.</param>
    public void RecordRepairs(
        Route route,
        EnvoyGatewayTranslation plan,
        AppliedObject? generated,
        IReadOnlyDictionary<string, AppliedObject> services
    )
    {
        var reported = route.Status?.Resources;
        if (plan.Generated is { } desired && generated is not null)
        {
            RecordRepair(route, desired.Kind, desired.Name, reported?.Route, generated);
        }

        foreach (var service in plan.Services)
        {
            RecordRepair(
                route,
                V1Service.KubeKind,
                service.Service.Metadata.Name,
                reported?.Services?.GetValueOrDefault(service.Key),
                services[service.Key]
            );
        }
    }

    private void RecordRepair(Route route, string kind, string name, GeneratedObject? reported, AppliedObject applied)
    {
        if (applied.IsRepaired)
        {
            recorder.Record(route, EventType.Warning, Repaired, Messages.ChangeReverted(kind, name));
        }
        else if (applied.IsCreated && reported?.GeneratedName == name)
        {
            recorder.Record(route, EventType.Warning, Repaired, Messages.ObjectRecreated(kind, name));
        }
    }
}
