using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>Updates <see cref="SharedHostnames"/> when the hostnames of a Route change, or the settings that permit them.</summary>
internal sealed class HostnameReconciler([FromKeyedServices(ManagementCluster.Name)] Cluster management, SharedHostnames shared)
    : IReconciler
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    public static void AddController(IServiceCollection services)
    {
        services.AddSingleton<HostnameUse>().AddSingleton<SharedHostnames>();
        services.AddController<HostnameReconciler>(
            "hostname",
            controller =>
            {
                controller.Watch<Route>(ManagementCluster.Name, _ => (Change<Route> change) => IsRelevant(change) ? [change.Key] : []);
                PolicyReconciler.WatchAffectedRoutes(controller);
                controller.WaitFor<Config>(ManagementCluster.Name).WaitFor<Tenant>(ManagementCluster.Name);
                controller
                    .WaitFor<Gateway>(ManagementCluster.Name)
                    .WaitFor<HttpRoute>(ManagementCluster.Name)
                    .WaitFor<GrpcRoute>(ManagementCluster.Name);
            }
        );
    }

    /// <summary>Enqueues the Routes that may get or lose a hostname.</summary>
    public static void WatchAffectedRoutes(ControllerBuilder controller) =>
        controller.Source(
            (host, enqueue) =>
            {
                var use = host.GetRequiredService<HostnameUse>();
                use.RouteAffected += enqueue;
                return new SourceSubscription(() => use.RouteAffected -= enqueue);
            }
        );

    /// <summary>Enqueues the keys of a Tenant whose report changes.</summary>
    /// <param name="controller">The controller.</param>
    /// <param name="keysOf">The keys of a tenant namespace.</param>
    public static void WatchReports(ControllerBuilder controller, Func<IServiceProvider, Func<string, IEnumerable<ResourceKey>>> keysOf) =>
        controller.Source(
            (host, enqueue) =>
            {
                var (shared, keys) = (host.GetRequiredService<SharedHostnames>(), keysOf(host));
                shared.ReportChanged += Enqueue;
                return new SourceSubscription(() => shared.ReportChanged -= Enqueue);

                void Enqueue(string tenantNamespace)
                {
                    foreach (var key in keys(tenantNamespace))
                    {
                        enqueue(key);
                    }
                }
            }
        );

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        shared.Update(key, _routes.Get(key));
        return Task.FromResult(ReconcileResult.Done);
    }

    private static bool IsRelevant(Change<Route> change) =>
        change is not { Old: { } old, New: { } now }
        || old.Metadata.Uid != now.Metadata.Uid
        || old.Metadata.Generation != now.Metadata.Generation
        || old.Spec?.IsDropped != now.Spec?.IsDropped;
}

/// <summary>
/// The hostnames of each tenant that overlap those of other tenants, for a condition of the Tenants. Updated with each Route, so that the
/// work for a change does not depend on the number of others. Thread-safe.
/// </summary>
internal sealed class SharedHostnames([FromKeyedServices(ManagementCluster.Name)] Cluster management, HostnameUse use)
{
    private const int MaxListed = 3;
    private const int MaxQuoteLength = 100;

    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Hostnames> _tenants = new(StringComparer.Ordinal);

    /// <summary>Raised with the namespace of a tenant whose report has changed, or is complete for the first time.</summary>
    public event Action<string>? ReportChanged;

    /// <summary>Compares the hostnames of a Route with those of other tenants.</summary>
    /// <param name="key">The Route's key.</param>
    /// <param name="route">The Route; null if it was deleted.</param>
    public void Update(ResourceKey key, Route? route)
    {
        var claims = route is null ? [] : use.ClaimsOf(route);
        var reports = new Dictionary<string, string?>(StringComparer.Ordinal);
        lock (_gate)
        {
            Remember(reports, key.Namespace);
            var own = Of(key.Namespace);
            var before = own.Set(key.Name, route is null ? null : claims);
            foreach (var hostname in before.Except(claims).Concat(claims.Except(before)).ToList())
            {
                Compare(key.Namespace, hostname);
                var others = use.OthersOf(key.Namespace, hostname).ToList();
                foreach (var (@namespace, other) in others.Select(o => (o.Route.Namespace, o.Hostname)).Distinct())
                {
                    Remember(reports, @namespace);
                    Compare(@namespace, other);
                }

                if (route is not null && claims.Contains(hostname))
                {
                    use.ReportNew(new HostnameClaim(route, hostname), others);
                }
                else
                {
                    use.ReportReleased(others);
                }
            }

            if (own.Routes.Count == 0)
            {
                _tenants.Remove(key.Namespace);
            }
        }

        foreach (var (@namespace, report) in reports)
        {
            if (ReportOf(@namespace) != report || IsNewlyComplete(@namespace))
            {
                ReportChanged?.Invoke(@namespace);
            }
        }
    }

    /// <summary>
    /// Adds condition <see cref="TenantHostnameConditions.HostnamesUnique"/> while hostnames overlap those of other tenants.
    /// </summary>
    public void SetCondition(ConditionSet conditions, Tenant tenant)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        if (
            tenant.Metadata.DeletionTimestamp is not null
            || management.Informer<Tenant>().HolderOf(@namespace)?.Metadata.Uid != tenant.Metadata.Uid
        )
        {
            return;
        }

        if (!IsComplete(@namespace))
        {
            // After a start; the report changes when all Routes have been compared.
            conditions.Keep(TenantHostnameConditions.HostnamesUnique);
        }
        else if (ReportOf(@namespace) is { } report)
        {
            conditions.Set(
                TenantHostnameConditions.HostnamesUnique,
                ConditionStatus.False,
                TenantHostnameConditions.HostnamesOverlap,
                report,
                tenant.Metadata.Generation
            );
        }
    }

    private void Compare(string tenantNamespace, string hostname) =>
        Of(tenantNamespace)
            .SetOthers(
                hostname,
                Of(tenantNamespace).IsClaimed(hostname) ? use.OtherTenantsOf(tenantNamespace, hostname, MaxListed + 1) : []
            );

    private Hostnames Of(string tenantNamespace)
    {
        if (!_tenants.TryGetValue(tenantNamespace, out var hostnames))
        {
            _tenants[tenantNamespace] = hostnames = new Hostnames();
        }

        return hostnames;
    }

    private void Remember(Dictionary<string, string?> reports, string tenantNamespace)
    {
        if (!reports.ContainsKey(tenantNamespace))
        {
            reports[tenantNamespace] = ReportOf(tenantNamespace);
        }
    }

    private string? ReportOf(string tenantNamespace)
    {
        lock (_gate)
        {
            if (_tenants.GetValueOrDefault(tenantNamespace)?.Examples is not { Count: > 0 } examples)
            {
                return null;
            }

            return Messages.HostnamesOverlap(
                [
                    .. examples
                        .Take(MaxListed)
                        .Select(e =>
                            $"{MessageText.Quote(e.Hostname, MaxQuoteLength)} (Tenant {TenantNames.TenantOf(e.Other) ?? e.Other})"
                        ),
                ],
                examples.Count > MaxListed
            );
        }
    }

    private bool IsComplete(string tenantNamespace)
    {
        var routes = _routes.CountByIndex(Indexes.ByNamespace, tenantNamespace);
        lock (_gate)
        {
            return routes <= (_tenants.GetValueOrDefault(tenantNamespace)?.Routes.Count ?? 0);
        }
    }

    private bool IsNewlyComplete(string tenantNamespace)
    {
        lock (_gate)
        {
            if (_tenants.GetValueOrDefault(tenantNamespace) is not { IsReported: false } hostnames || !IsComplete(tenantNamespace))
            {
                return false;
            }

            return hostnames.IsReported = true;
        }
    }

    private sealed class Hostnames
    {
        private readonly Dictionary<string, int> _claims = new(StringComparer.Ordinal);
        private readonly Dictionary<string, IReadOnlyList<string>> _others = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, SortedSet<string>> _byTenant = new(StringComparer.Ordinal);

        /// <summary>The compared Routes.</summary>
        public Dictionary<string, IReadOnlyList<string>> Routes { get; } = new(StringComparer.Ordinal);

        public bool IsReported { get; set; }

        /// <summary>The first overlapping hostname for each of the other tenants.</summary>
        public IReadOnlyList<(string Other, string Hostname)> Examples => [.. _byTenant.Select(o => (o.Key, o.Value.Min!))];

        public bool IsClaimed(string hostname) => _claims.ContainsKey(hostname);

        /// <summary>Replaces the claims of a Route; null removes it. Returns the previous ones.</summary>
        public IReadOnlyList<string> Set(string route, IReadOnlyList<string>? claims)
        {
            var before = Routes.GetValueOrDefault(route) ?? [];
            foreach (var hostname in before)
            {
                if (--_claims[hostname] == 0)
                {
                    _claims.Remove(hostname);
                }
            }

            foreach (var hostname in claims ?? [])
            {
                _claims[hostname] = _claims.GetValueOrDefault(hostname) + 1;
            }

            if (claims is null)
            {
                Routes.Remove(route);
            }
            else
            {
                Routes[route] = claims;
            }

            return before;
        }

        public void SetOthers(string hostname, IReadOnlyList<string> others)
        {
            foreach (var other in _others.GetValueOrDefault(hostname) ?? [])
            {
                var hostnames = _byTenant[other];
                hostnames.Remove(hostname);
                if (hostnames.Count == 0)
                {
                    _byTenant.Remove(other);
                }
            }

            _others.Remove(hostname);
            if (others.Count == 0)
            {
                return;
            }

            _others[hostname] = others;
            foreach (var other in others)
            {
                if (!_byTenant.TryGetValue(other, out var hostnames))
                {
                    _byTenant[other] = hostnames = new SortedSet<string>(StringComparer.Ordinal);
                }

                hostnames.Add(hostname);
            }
        }
    }
}
