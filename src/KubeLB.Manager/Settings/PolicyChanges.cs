using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Finds the Routes whose outcome a change of settings, or of the other Routes under a limit, may turn. It compares what holds for a tenant
/// now with what it found last, both computed from the caches: an attempt that fails is made again, and nothing that was missed stays
/// missed. For any thread.
/// </summary>
internal sealed class PolicyChanges([FromKeyedServices(ManagementCluster.Name)] Cluster management, TenantSettingsResolver settings)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Verdicts> _last = new(StringComparer.Ordinal);

    /// <summary>Raised for each Route to be reconciled.</summary>
    public event Action<ResourceKey>? Turned;

    /// <summary>The namespaces that the Config's settings hold for.</summary>
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

    /// <summary>Compares what holds for a tenant with what was found last.</summary>
    public void Reevaluate(string tenantNamespace)
    {
        IReadOnlyList<Route> turned;
        lock (_gate)
        {
            var (routes, policy) = (_routes.ByIndex(Indexes.ByNamespace, tenantNamespace), settings.PolicyOf(tenantNamespace));
            var now = new Verdicts(policy, RouteQuota.Beyond(policy, routes));
            turned = [.. routes.Where(r => _last.GetValueOrDefault(tenantNamespace) is not { } before || before.MayDiffer(r, now))];
            if (routes.Count == 0 && settings.TenantOf(tenantNamespace) is null)
            {
                _last.Remove(tenantNamespace);
            }
            else
            {
                _last[tenantNamespace] = now;
            }
        }

        foreach (var route in turned)
        {
            Turned?.Invoke(ResourceKey.Of(route));
        }
    }

    private sealed record Verdicts(TenantPolicy Policy, HashSet<string> Beyond)
    {
        public bool MayDiffer(Route route, Verdicts now) =>
            Beyond.Contains(route.Name) != now.Beyond.Contains(route.Name)
            || (!ReferenceEquals(Policy, now.Policy) && RouteOrigin.Of(route) is { } origin && now.Policy.MayDiffer(origin.Kind, Policy));
    }
}
