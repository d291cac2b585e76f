using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>What routes refer to.</summary>
internal static class RouteReferences
{
    /// <summary>The Gateways of a route's parentRefs.</summary>
    public static IEnumerable<ResourceKey> Gateways(IGatewayRoute route) =>
        route
            .ParentRefs.Where(p => p.Group is null or ApiGroups.GatewayApi && p.Kind is null or Gateway.KindName)
            .Select(p => RouteEvaluator.GatewayOf(route, p))
            .Distinct();

    /// <summary>The Services of a route's backends and mirrors.</summary>
    public static IEnumerable<ResourceKey> Services(IGatewayRoute route) =>
        route
            .Rules.SelectMany(Backends)
            .Select(b => new ResourceKey(b.Namespace ?? route.Metadata.NamespaceProperty ?? "", b.Name))
            .Distinct();

    private static IEnumerable<BackendObjectReference> Backends(RouteRule rule) =>
        (rule.BackendRefs ?? []).Concat((rule.Filters ?? []).Select(f => f.RequestMirror?.BackendRef).OfType<BackendObjectReference>());
}
