using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>A hostname that a Route claims.</summary>
/// <param name="Route">The Route.</param>
/// <param name="Hostname">The hostname.</param>
internal sealed record HostnameClaim(Route Route, string Hostname);

/// <summary>
/// Finds the Routes of other tenants whose hostnames overlap, through an index of all Routes. Routes that the settings of their tenant do
/// not permit are ignored. Thread-safe.
/// </summary>
internal sealed class HostnameUse(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    PolicyChanges policies
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    /// <summary>Raised for each Route that may get or lose a hostname.</summary>
    public event Action<ResourceKey>? RouteAffected;

    /// <summary>The hostnames that a Route claims.</summary>
    public IReadOnlyList<string> ClaimsOf(Route route) =>
        HostnameClaims.Of(route).Count > 0 && policies.IsWithinLimits(route)
            ? HostnameClaims.Permitted(route, settings.PolicyOf(route.Namespace))
            : [];

    /// <summary>The overlapping claims of other tenants.</summary>
    public IEnumerable<HostnameClaim> OthersOf(string tenantNamespace, string hostname) =>
        OtherRoutes(tenantNamespace, hostname).SelectMany(route => Overlapping(route, hostname));

    /// <summary>Up to <paramref name="maximum"/> namespaces of other tenants with an overlapping claim.</summary>
    public IReadOnlyList<string> OtherTenantsOf(string tenantNamespace, string hostname, int maximum)
    {
        // A wildcard can overlap every hostname of its domain, so only as many are compared as are needed.
        var tenants = new List<string>();
        foreach (var route in OtherRoutes(tenantNamespace, hostname).TakeWhile(_ => tenants.Count < maximum))
        {
            if (!tenants.Contains(route.Namespace) && Overlapping(route, hostname).Any())
            {
                tenants.Add(route.Namespace);
            }
        }

        return tenants;
    }

    /// <summary>
    /// Whether an overlapping claim of another tenant takes precedence. If its Route is not served although it takes precedence, for
    /// example because it lost the hostname before, it is reconciled.
    /// </summary>
    public bool IsInUse(Route route, string hostname)
    {
        var claim = new HostnameClaim(route, hostname);
        var isServed = IsServed(claim);
        if (OthersOf(route.Namespace, hostname).FirstOrDefault(other => Precedes(other, claim, isServed)) is not { } holder)
        {
            return false;
        }

        if (!IsServed(holder))
        {
            RouteAffected?.Invoke(ResourceKey.Of(holder.Route));
        }

        return true;
    }

    /// <summary>Reconciles the Routes of other tenants that a new claim takes precedence over.</summary>
    public void ReportNew(HostnameClaim claim, IEnumerable<HostnameClaim> others) =>
        Reconcile(others.Where(other => Precedes(claim, other, IsServed(other))));

    /// <summary>Reconciles the Routes of other tenants that can get a hostname that is no longer claimed.</summary>
    public void ReportReleased(IEnumerable<HostnameClaim> others) => Reconcile(others.Where(other => !IsServed(other)));

    private void Reconcile(IEnumerable<HostnameClaim> claims)
    {
        foreach (var key in claims.Where(c => HasExclusiveHostnames(c.Route)).Select(c => ResourceKey.Of(c.Route)).Distinct())
        {
            RouteAffected?.Invoke(key);
        }
    }

    private bool HasExclusiveHostnames(Route route) => settings.PolicyOf(route.Namespace).HasExclusiveHostnames;

    private IEnumerable<Route> OtherRoutes(string tenantNamespace, string hostname) =>
        HostnameClaims
            .Lookups(hostname)
            .SelectMany(value => _routes.ByIndex(Indexes.ByHostname, value))
            .Where(route => route.Namespace != tenantNamespace)
            .DistinctBy(route => ResourceKey.Of(route));

    private IEnumerable<HostnameClaim> Overlapping(Route route, string hostname)
    {
        var overlapping = HostnameClaims.Of(route).Where(h => HostnameClaims.Overlap(h, hostname)).ToList();
        return overlapping.Count > 0 && ClaimsOf(route).Count > 0 ? overlapping.Select(h => new HostnameClaim(route, h)) : [];
    }

    // A hostname that is served stays where it is: otherwise a tenant could take it with an old Route that it edits. A tenant may have many
    // claims, so what costs least is compared first.
    private bool Precedes(HostnameClaim left, HostnameClaim right, bool isRightServed)
    {
        var isOlder = RouteQuota.CompareAge(left.Route, right.Route) < 0;
        return isRightServed ? isOlder && IsServed(left) : isOlder || IsServed(left);
    }

    // Tenants cannot write generated objects.
    private bool IsServed(HostnameClaim claim) =>
        Generated<Gateway>(claim.Route)
            .Concat(Generated<HttpRoute>(claim.Route))
            .Concat(Generated<GrpcRoute>(claim.Route))
            .Any(generated => HostnameClaims.ServedBy(generated).Contains(claim.Hostname));

    private IEnumerable<ApiObject> Generated<T>(Route route)
        where T : ApiObject => management.Informer<T>().ByIndex(Indexes.ByOwner, route.Metadata.Uid);
}
