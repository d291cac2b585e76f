using System.Collections.Concurrent;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>
/// Which generation of each route the ports of a Gateway serve: a route's status is written when its Gateways serve what it says.
/// </summary>
internal sealed class ServedRoutes
{
    private readonly ConcurrentDictionary<ResourceKey, Dictionary<string, (string Uid, long? Generation)>> _byGateway = new();

    /// <summary>A Gateway serves these routes from now on, and no others.</summary>
    public void Set(ResourceKey gateway, IReadOnlyList<RouteVerdict> routes) =>
        _byGateway[gateway] = routes.ToDictionary(
            r => KeyOf(r.Route),
            r => (r.Route.Metadata.Uid, r.Route.Metadata.Generation),
            StringComparer.Ordinal
        );

    /// <summary>The Gateway is gone.</summary>
    public void Remove(ResourceKey gateway) => _byGateway.TryRemove(gateway, out _);

    /// <summary>Whether all Gateways that a route is attached to serve it as it is now.</summary>
    public bool Has(RouteVerdict route) =>
        route
            .Parents.Where(p => p.IsAccepted)
            .SelectMany(p => p.Attachments)
            .Select(a => a.Gateway)
            .Distinct()
            .All(gateway =>
                _byGateway.TryGetValue(gateway, out var routes)
                && routes.TryGetValue(KeyOf(route.Route), out var served)
                && served.Uid == route.Route.Metadata.Uid
                && served.Generation >= route.Route.Metadata.Generation
            );

    private static string KeyOf(IGatewayRoute route) => $"{route.Kind}/{route.Metadata.NamespaceProperty}/{route.Metadata.Name}";
}
