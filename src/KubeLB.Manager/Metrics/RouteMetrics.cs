using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.Manager.Metrics;

/// <summary>
/// Counts, whenever metrics are collected, the Routes in the cache by kind and by what their status says, and those refused by tenant.
/// Tenants without a refusal have no series, and only so many have one of their own.
/// </summary>
internal sealed class RouteMetrics : IHostedService
{
    /// <summary>Tenants with a series of their own; the rest are counted together under <see cref="OtherTenants"/>.</summary>
    public const int TenantLimit = 50;

    /// <summary>Label of the tenants that have no series of their own; no tenant can have that name.</summary>
    public const string OtherTenants = "_others";

    private readonly IInformer<Route> _informer;
    private readonly CollectorRegistry _registry;
    private readonly Gauge _routes;
    private readonly Gauge _refused;

    public RouteMetrics([FromKeyedServices(ManagementCluster.Name)] Cluster management, CollectorRegistry registry)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        _informer = management.Informer<Route>();
        _registry = registry;
        _routes = factory.CreateGauge(
            "kubelb_manager_routes",
            "Routes in the local cache by kind of the tenant's object and state: programmed, pending, rejected, refused.",
            "kind",
            "state"
        );
        _refused = factory.CreateGauge(
            "kubelb_manager_refused_routes",
            "Routes that are refused, of the tenants that have the most; all others are counted as _others.",
            "tenant"
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
        var routes = _informer
            .List()
            .Select(r => (Tenant: TenantNames.TenantOf(r.Namespace) ?? r.Namespace, Kind: KindOf(r), State: RouteState.Of(r)))
            .ToList();
        Show(_routes, routes.GroupBy(r => (r.Kind, r.State)).ToDictionary(g => new[] { g.Key.Kind, g.Key.State }, g => g.Count()));

        var tenants = routes
            .Where(r => r.State == RouteState.Refused)
            .GroupBy(r => r.Tenant, StringComparer.Ordinal)
            .Select(g => (Tenant: g.Key, Count: g.Count()))
            .OrderByDescending(t => t.Count)
            .ThenBy(t => t.Tenant, StringComparer.Ordinal)
            .ToList();
        var refused = tenants.Take(TenantLimit).ToDictionary(t => new[] { t.Tenant }, t => t.Count);
        if (tenants.Count > TenantLimit)
        {
            refused[[OtherTenants]] = tenants.Skip(TenantLimit).Sum(t => t.Count);
        }

        Show(_refused, refused);
    }

    // A series that counts nothing any more goes, so that their number does not only grow.
    private static void Show(Gauge gauge, Dictionary<string[], int> counts)
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

    // What a tenant writes must not become a label.
    private static string KindOf(Route route) =>
        RouteOrigin.Of(route)?.Kind is { } kind && Array.IndexOf(RouteState.Kinds, kind) >= 0 ? kind : "other";
}
