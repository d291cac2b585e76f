using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.Manager.Metrics;

/// <summary>
/// Counts the Routes in the cache at each scrape: all by kind and state, and those that are not applied by tenant. Only the tenants with
/// the most such Routes have a series of their own.
/// </summary>
internal sealed class RouteMetrics : IHostedService
{
    /// <summary>Maximum number of tenants with a series of their own; others are counted under <see cref="OtherTenants"/>.</summary>
    public const int TenantLimit = 50;

    /// <summary>Label of the tenants without a series of their own; not a valid tenant name.</summary>
    public const string OtherTenants = "_others";

    private readonly IInformer<Route> _informer;
    private readonly CollectorRegistry _registry;
    private readonly Gauge _routes;
    private readonly Gauge _notApplied;
    private readonly EnvoyGatewayReports _reports;
    private readonly Gauge _reportAge;

    public RouteMetrics(
        [FromKeyedServices(ManagementCluster.Name)] Cluster management,
        EnvoyGatewayReports reports,
        CollectorRegistry registry
    )
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        _informer = management.Informer<Route>();
        _registry = registry;
        _routes = factory.CreateGauge(
            "kubelb_manager_routes",
            "Routes in the cache by kind of the source object and state: programmed, pending, rejected (by Envoy Gateway), "
                + "not_applied (by the manager or the API server).",
            "kind",
            "state"
        );
        _notApplied = factory.CreateGauge(
            "kubelb_manager_not_applied_routes",
            $"Routes in state not_applied by tenant, for the {TenantLimit} tenants with the most; "
                + $"the others are counted as {OtherTenants}.",
            "tenant"
        );
        _reports = reports;
        _reportAge = factory.CreateGauge(
            "kubelb_manager_envoy_gateway_report_age_seconds",
            "How long the first missing report of Envoy Gateway on a generated object has been awaited; 0 if none is missing."
        );
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registry.AddBeforeCollectCallback(Count);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Count()
    {
        _reportAge.Set(_reports.Age.TotalSeconds);
        var routes = _informer
            .List()
            .Select(r => (Tenant: TenantNames.TenantOf(r.Namespace) ?? r.Namespace, Kind: RouteState.KindOf(r), State: RouteState.Of(r)))
            .ToList();
        Publish(_routes, routes.GroupBy(r => (r.Kind, r.State)).ToDictionary(g => new[] { g.Key.Kind, g.Key.State }, g => g.Count()));

        var tenants = routes
            .Where(r => r.State == RouteState.NotApplied)
            .GroupBy(r => r.Tenant, StringComparer.Ordinal)
            .Select(g => (Tenant: g.Key, Count: g.Count()))
            .OrderByDescending(t => t.Count)
            .ThenBy(t => t.Tenant, StringComparer.Ordinal)
            .ToList();
        var notApplied = tenants.Take(TenantLimit).ToDictionary(t => new[] { t.Tenant }, t => t.Count);
        if (tenants.Count > TenantLimit)
        {
            notApplied[[OtherTenants]] = tenants.Skip(TenantLimit).Sum(t => t.Count);
        }

        Publish(_notApplied, notApplied);
    }

    // Removes series that no longer count anything, so that their number stays bounded.
    private static void Publish(Gauge gauge, Dictionary<string[], int> counts)
    {
        foreach (var labels in gauge.GetAllLabelValues().Where(old => !counts.Keys.Any(now => now.SequenceEqual(old))).ToList())
        {
            gauge.RemoveLabelled(labels);
        }

        foreach (var (labels, count) in counts)
        {
            gauge.WithLabels(labels).Set(count);
        }
    }
}

/// <summary>State of a Route according to its status, as metric label.</summary>
internal static class RouteState
{
    /// <summary>Envoy Gateway has programmed it.</summary>
    public const string Programmed = "programmed";

    /// <summary>Envoy Gateway has not reported on it yet.</summary>
    public const string Pending = "pending";

    /// <summary>Envoy Gateway rejected it or some of its references, a proxy rejected it, or no proxy is available.</summary>
    public const string Rejected = "rejected";

    /// <summary>The manager or the API server rejected it.</summary>
    public const string NotApplied = "not_applied";

    /// <summary>The kinds with a label value of their own.</summary>
    public static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    /// <summary>All label values of kinds.</summary>
    public static readonly string[] KindLabels = [.. Kinds, OtherKind];

    private const string OtherKind = "other";

    /// <summary>The label value of a Route's kind. A tenant must not be able to create label values.</summary>
    public static string KindOf(Route route) =>
        RouteOrigin.Of(route)?.Kind is { } kind && Array.IndexOf(Kinds, kind) >= 0 ? kind : OtherKind;

    /// <summary>The state of a Route.</summary>
    public static string Of(Route route)
    {
        if (RouteStatusBuilder.Failures(route.Status).Any())
        {
            return NotApplied;
        }

        return route.Status?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Programmed)?.Status switch
        {
            ConditionStatus.True => Programmed,
            ConditionStatus.False => Rejected,
            _ => Pending,
        };
    }
}
