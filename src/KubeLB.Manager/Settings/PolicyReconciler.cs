using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Reevaluates the policy of a tenant (<see cref="PolicyChanges"/>), once for all changes that are queued together. The key is the tenant's
/// namespace.
/// </summary>
internal sealed class PolicyReconciler(PolicyChanges changes) : IReconciler
{
    public static void AddController(IServiceCollection services)
    {
        services.AddSingleton<RouteQuota>().AddSingleton<PolicyChanges>();
        services.AddController<PolicyReconciler>(
            "policy",
            controller =>
                controller
                    .Watch<Tenant>(
                        ManagementCluster.Name,
                        _ => (Change<Tenant> change) => IsStatusOnly(change) ? [] : [KeyOf(TenantNames.Namespace(change.Key.Name))]
                    )
                    .Watch<Route>(
                        ManagementCluster.Name,
                        _ => (Change<Route> change) => RouteQuota.IsAffectedBy(change) ? [KeyOf(change.Key.Namespace)] : []
                    )
                    .Watch<Config>(
                        ManagementCluster.Name,
                        host =>
                        {
                            var changes = host.GetRequiredService<PolicyChanges>();
                            return (Change<Config> change) => change.Key.Name == Config.DefaultName ? changes.Namespaces.Select(KeyOf) : [];
                        }
                    )
        );
    }

    /// <summary>Enqueues the Routes whose result may have changed.</summary>
    public static void WatchAffectedRoutes(ControllerBuilder controller) =>
        controller.Source(
            (host, enqueue) =>
            {
                var changes = host.GetRequiredService<PolicyChanges>();
                changes.RouteAffected += enqueue;
                return new SourceSubscription(() => changes.RouteAffected -= enqueue);
            }
        );

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        changes.Reevaluate(key.Name);
        return Task.FromResult(ReconcileResult.Done);
    }

    private static ResourceKey KeyOf(string tenantNamespace) => new("", tenantNamespace);

    private static bool IsStatusOnly(Change<Tenant> change) =>
        change is { Old: { } old, New: { } now }
        && old.Metadata.Uid == now.Metadata.Uid
        && !VersionedDefaults.Differ(old, now)
        && SettingsSection.Same(old.Spec, now.Spec);
}

/// <summary>
/// Finds the Routes whose result may change with the settings, or with the other Routes under a quota. It compares the tenant's current
/// policy and quota with those of the last evaluation, so that a retry after a failure misses nothing. Thread-safe.
/// </summary>
internal sealed class PolicyChanges(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    RouteQuota quota
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Evaluation> _last = new(StringComparer.Ordinal);

    /// <summary>Raised for each Route whose result may have changed.</summary>
    public event Action<ResourceKey>? RouteAffected;

    /// <summary>The tenant namespaces to which the Config applies.</summary>
    public IReadOnlyList<string> Namespaces
    {
        get
        {
            lock (_gate)
            {
                return [.. _tenants.List().Select(t => TenantIndexes.TenantNamespace(t).Single()).Union(_last.Keys)];
            }
        }
    }

    /// <summary>
    /// Whether the Route is within the limits of its tenant, from the last evaluation; it raises <see cref="RouteAffected"/> when that
    /// changes.
    /// </summary>
    public bool IsWithinLimits(Route route)
    {
        lock (_gate)
        {
            if (_last.TryGetValue(route.Namespace, out var evaluation))
            {
                return !evaluation.BeyondQuota.Contains(route.Name);
            }
        }

        return quota.IsWithin(route) && quota.SizeRejection(route) is null;
    }

    /// <summary>Compares a tenant's policy and quota with those of the last evaluation.</summary>
    public void Reevaluate(string tenantNamespace)
    {
        IReadOnlyList<Route> affected;
        lock (_gate)
        {
            var (routes, policy) = (_routes.ByIndex(Indexes.ByNamespace, tenantNamespace), settings.PolicyOf(tenantNamespace));
            var now = new Evaluation(policy, RouteQuota.RoutesBeyond(policy, routes));
            affected = [.. routes.Where(r => _last.GetValueOrDefault(tenantNamespace) is not { } before || before.MayDiffer(r, now))];
            if (routes.Count == 0 && settings.TenantOf(tenantNamespace) is null)
            {
                _last.Remove(tenantNamespace);
            }
            else
            {
                _last[tenantNamespace] = now;
            }
        }

        foreach (var route in affected)
        {
            RouteAffected?.Invoke(ResourceKey.Of(route));
        }
    }

    private sealed record Evaluation(TenantPolicy Policy, HashSet<string> BeyondQuota)
    {
        public bool MayDiffer(Route route, Evaluation now) =>
            BeyondQuota.Contains(route.Name) != now.BeyondQuota.Contains(route.Name)
            || (!ReferenceEquals(Policy, now.Policy) && RouteOrigin.Of(route) is { } origin && now.Policy.MayDiffer(origin.Kind, Policy));
    }
}
