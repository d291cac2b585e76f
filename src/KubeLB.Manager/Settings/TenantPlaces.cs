using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Which Routes of each tenant have one of the places that its limits leave: for Gateways, and for HTTPRoutes and GRPCRoutes together. Every
/// Route that is there counts, also one that is refused for something else or on its way out. The age is that of the Route, which the API
/// server wrote.
/// </summary>
/// <param name="policyOf">The settings in force in a tenant's namespace.</param>
internal sealed class TenantPlaces(Func<string, TenantPolicy> policyOf)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Tenant> _tenants = new(StringComparer.Ordinal);

    /// <summary>The namespaces that hold Routes.</summary>
    public IReadOnlyList<string> Namespaces
    {
        get
        {
            lock (_gate)
            {
                return [.. _tenants.Keys];
            }
        }
    }

    /// <summary>Whether the Route has a place, or its kind needs none. One that <see cref="Follow"/> has not been told of has none where there is a limit.</summary>
    public bool Has(Route route)
    {
        lock (_gate)
        {
            return GroupOf(route) is not { } group
                || !_tenants.TryGetValue(route.Namespace, out var tenant)
                || tenant.Places(group) is { Limit: null }
                || tenant.Places(group).Has(MemberOf(route));
        }
    }

    /// <summary>Takes note of a Route that came, went or became something else.</summary>
    /// <returns>The other Routes whose verdict turned by that.</returns>
    public IEnumerable<ResourceKey> Follow(Change<Route> change)
    {
        lock (_gate)
        {
            var turned = new List<PlacesByAge.Member>();
            var tenant = Of(change.Key.Namespace);
            var (before, now) = (Standing(change.Old), Standing(change.New));
            if (before != now && before is { } left)
            {
                turned.AddRange(tenant.Places(left.Group).Remove(left.Member));
            }

            if (now is { } come)
            {
                turned.AddRange(tenant.Places(come.Group).Add(come.Member));
            }

            if (tenant.IsEmpty)
            {
                _tenants.Remove(change.Key.Namespace);
            }

            return Keys(change.Key.Namespace, turned);
        }
    }

    /// <summary>Puts a tenant's limits in force.</summary>
    /// <returns>The Routes whose verdict turned by that.</returns>
    public IEnumerable<ResourceKey> SetLimits(string tenantNamespace, TenantPolicy policy)
    {
        lock (_gate)
        {
            return _tenants.TryGetValue(tenantNamespace, out var tenant)
                ? Keys(tenantNamespace, [.. tenant.Gateways.SetLimit(policy.GatewayLimit), .. tenant.Routes.SetLimit(policy.RouteLimit)])
                : [];
        }
    }

    private Tenant Of(string tenantNamespace)
    {
        if (!_tenants.TryGetValue(tenantNamespace, out var tenant))
        {
            // Read under the lock: limits that change meanwhile are set afterwards.
            var policy = policyOf(tenantNamespace);
            _tenants[tenantNamespace] = tenant = new Tenant();
            tenant.Gateways.SetLimit(policy.GatewayLimit);
            tenant.Routes.SetLimit(policy.RouteLimit);
        }

        return tenant;
    }

    private static List<ResourceKey> Keys(string tenantNamespace, IEnumerable<PlacesByAge.Member> members) =>
        [.. members.Select(m => new ResourceKey(tenantNamespace, m.Name)).Distinct()];

    private static (Group Group, PlacesByAge.Member Member)? Standing(Route? route) =>
        route is not null && GroupOf(route) is { } group ? (group, MemberOf(route)) : null;

    private static PlacesByAge.Member MemberOf(Route route) => new(route.Metadata.CreationTimestamp ?? DateTime.MaxValue, route.Name);

    private static Group? GroupOf(Route route) => RouteOrigin.Of(route) switch
    {
        { ApiVersion: GatewayApiVersion.ApiVersion, Kind: Gateway.KindName } => Group.Gateways,
        { ApiVersion: GatewayApiVersion.ApiVersion, Kind: HttpRoute.KindName or GrpcRoute.KindName } => Group.Routes,
        _ => null,
    };

    private enum Group
    {
        Gateways,
        Routes,
    }

    private sealed class Tenant
    {
        public PlacesByAge Gateways { get; } = new();

        public PlacesByAge Routes { get; } = new();

        public bool IsEmpty => Gateways.Count == 0 && Routes.Count == 0;

        public PlacesByAge Places(Group group) => group == Group.Gateways ? Gateways : Routes;
    }
}
