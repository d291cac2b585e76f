using KubeLB.Api.Naming;
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
/// Finds the Routes that a change of a Tenant or of the Config concerns: it remembers each tenant's settings as they were in force, and
/// compares them with those that are in force now. What is the same for a Route does not wake it.
/// </summary>
internal sealed class PolicyChanges(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    TenantPlaces places)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TenantPolicy> _inForce = new(StringComparer.Ordinal);

    /// <summary>The Routes that the change of a Tenant concerns.</summary>
    public IEnumerable<ResourceKey> Of(Change<Tenant> change) => Reevaluate(TenantNames.Namespace(change.Key.Name));

    /// <summary>The Routes that the change of the Config concerns.</summary>
    public IEnumerable<ResourceKey> Of(Change<Config> change) =>
        change.Key.Name != Config.DefaultName
            ? []
            : _tenants.List().Select(t => TenantNames.Namespace(t.Name)).Union(places.Namespaces).ToList().SelectMany(Reevaluate);

    private List<ResourceKey> Reevaluate(string tenantNamespace)
    {
        lock (_gate)
        {
            var now = settings.PolicyOf(tenantNamespace);
            var before = _inForce.GetValueOrDefault(tenantNamespace);
            var routes = _routes.ByIndex(Indexes.ByNamespace, tenantNamespace);
            if (routes.Count == 0 && settings.TenantOf(tenantNamespace) is null)
            {
                _inForce.Remove(tenantNamespace);
            }
            else
            {
                _inForce[tenantNamespace] = now;
            }

            return [.. places.SetLimits(tenantNamespace, now).Union(routes
                .Where(r => before is null || (RouteOrigin.Of(r) is { } origin && now.MayDiffer(origin.Kind, before)))
                .Select(r => ResourceKey.Of(r)))];
        }
    }
}
