using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Decides which Routes of a tenant are within its limits for Gateways, for HTTPRoutes and GRPCRoutes together, and for the size of all:
/// the oldest, and the first by name among Routes of the same age. Rejected Routes and Routes that are being deleted are counted. Computed
/// from the cache at each call; with no more Routes than the limit nothing is computed.
/// </summary>
internal sealed class RouteQuota(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    RouteMemory memory
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    private enum Group
    {
        Gateways,
        Routes,
    }

    /// <summary>Whether the Route is within the limit of its kind, or its kind has no limit.</summary>
    public bool IsWithin(Route route) =>
        IsWithin(
            route,
            settings.PolicyOf(route.Namespace),
            _routes.CountByIndex(Indexes.ByNamespace, route.Namespace),
            () => _routes.ByIndex(Indexes.ByNamespace, route.Namespace)
        );

    /// <summary>Why the Route is rejected for its size, or for the size of all; null if it is not.</summary>
    public Rejection? SizeRejection(Route route)
    {
        var policy = settings.PolicyOf(route.Namespace);
        return policy.SizeRejection(
            route.Namespace,
            RouteMemory.SizeOf(route),
            () =>
                memory.TotalOf(route.Namespace) > policy.MaxTotalBytes
                && RouteMemory.RoutesBeyond(policy, _routes.ByIndex(Indexes.ByNamespace, route.Namespace)).Contains(route.Name)
        );
    }

    internal static bool IsWithin(Route route, TenantPolicy policy, int count, Func<IReadOnlyList<Route>> all)
    {
        if (GroupOf(route) is not { } group)
        {
            return true;
        }

        var limit = LimitOf(group, policy);
        if (count <= limit || limit <= 0)
        {
            return limit > 0;
        }

        var routes = all();
        var live = Live(routes);
        return !routes.Where(other => IsOlder(other, route) && GroupOf(other) == group && !IsSucceeded(other, live)).Skip(limit - 1).Any();
    }

    // A recreated source object is counted once.
    private static bool IsSucceeded(Route route, HashSet<string> live) =>
        route.Metadata.DeletionTimestamp is not null && RouteOrigin.Of(route) is { } origin && live.Contains(origin.Key);

    private static HashSet<string> Live(IEnumerable<Route> routes) =>
        routes
            .Where(r => r.Metadata.DeletionTimestamp is null)
            .Select(r => RouteOrigin.Of(r)?.Key)
            .OfType<string>()
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>Names of a tenant's Routes that exceed its limits.</summary>
    internal static HashSet<string> RoutesBeyond(TenantPolicy policy, IReadOnlyList<Route> all)
    {
        var beyond = RouteMemory.RoutesBeyond(policy, all);
        var exceeded = Enum.GetValues<Group>().Where(group => all.Count > LimitOf(group, policy)).ToList();
        if (exceeded.Count == 0)
        {
            return beyond;
        }

        var live = Live(all);
        return exceeded
            .SelectMany(group =>
                all.Where(r => GroupOf(r) == group && !IsSucceeded(r, live))
                    .OrderBy(Created)
                    .ThenBy(r => r.Name, StringComparer.Ordinal)
                    .Skip(LimitOf(group, policy))
            )
            .Select(r => r.Name)
            .Concat(beyond)
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether a change of a Route may change the result for other Routes.</summary>
    internal static bool IsAffectedBy(Change<Route> change) =>
        change is not { Old: { } old, New: { } now }
        || GroupOf(old) != GroupOf(now)
        || Created(old) != Created(now)
        || RouteMemory.SizeOf(old) != RouteMemory.SizeOf(now)
        || old.Metadata.DeletionTimestamp != now.Metadata.DeletionTimestamp;

    private static bool IsOlder(Route left, Route right) => CompareAge(left, right) < 0;

    /// <summary>Compares Routes of any tenant: the oldest is the first, then by namespace and name.</summary>
    internal static int CompareAge(Route left, Route right) =>
        Created(left).CompareTo(Created(right)) is var age and not 0 ? age
        : string.CompareOrdinal(left.Namespace, right.Namespace) is var order and not 0 ? order
        : string.CompareOrdinal(left.Name, right.Name);

    internal static DateTime Created(Route route) => route.Metadata.CreationTimestamp ?? DateTime.MaxValue;

    private static int LimitOf(Group group, TenantPolicy policy) => group == Group.Gateways ? policy.GatewayLimit : policy.RouteLimit;

    private static Group? GroupOf(Route route) =>
        RouteOrigin.Of(route) switch
        {
            { ApiVersion: GatewayApiVersion.ApiVersion, Kind: Gateway.KindName } => Group.Gateways,
            { ApiVersion: GatewayApiVersion.ApiVersion, Kind: HttpRoute.KindName or GrpcRoute.KindName } => Group.Routes,
            _ => null,
        };
}
