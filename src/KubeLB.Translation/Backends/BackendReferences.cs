using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Backends;

/// <summary>Finds the backends of a route: backendRefs, and the mirrors of rules and of backendRefs.</summary>
public static class BackendReferences
{
    /// <summary>All references in the order of the spec.</summary>
    public static IEnumerable<BackendReference> Of(IGatewayRoute route)
    {
        var routeNamespace = route.Metadata.NamespaceProperty;
        for (var r = 0; r < route.Rules.Count; r++)
        {
            var rule = route.Rules[r];
            foreach (var mirror in Mirrors(rule.Filters, $"rule {r}", route))
            {
                yield return mirror;
            }

            var backendRefs = rule.BackendRefs ?? [];
            for (var b = 0; b < backendRefs.Count; b++)
            {
                var location = $"rule {r} backendRef {b}";
                yield return new BackendReference(location, backendRefs[b], backendRefs[b].Namespace ?? routeNamespace, route.Kind);
                foreach (var mirror in Mirrors(backendRefs[b].Filters, location, route))
                {
                    yield return mirror;
                }
            }
        }
    }

    /// <summary>The distinct Services that the route refers to.</summary>
    public static IEnumerable<(string Namespace, string Name)> ServicesOf(IGatewayRoute route) =>
        Of(route).Where(b => b.IsService).Select(b => (b.Namespace, b.Ref.Name)).Distinct();

    /// <summary>The ports that the route refers to, by Service. In one pass, because the tenant decides how many there are.</summary>
    public static ILookup<(string Namespace, string Name), int> PortsByService(IGatewayRoute route) =>
        Of(route).Where(b => b.IsService && b.Ref.Port is not null).ToLookup(b => (b.Namespace, b.Ref.Name), b => b.Ref.Port!.Value);

    /// <summary>The distinct ports of a Service that the route refers to.</summary>
    public static IEnumerable<int> PortsOf(IGatewayRoute route, string @namespace, string name) =>
        Of(route)
            .Where(b => b.IsService && b.Namespace == @namespace && b.Ref.Name == name)
            .Select(b => b.Ref.Port)
            .OfType<int>()
            .Distinct();

    /// <summary>Whether the reference is to a Service of the core group.</summary>
    public static bool RefersToService(this BackendObjectReference reference) =>
        string.IsNullOrEmpty(reference.Group) && (reference.Kind ?? V1Service.KubeKind) == V1Service.KubeKind;

    private static IEnumerable<BackendReference> Mirrors(List<RouteFilter>? filters, string location, IGatewayRoute route) =>
        from filter in filters ?? []
        let backendRef = filter.RequestMirror?.BackendRef
        where filter.Type == RouteFilterTypes.RequestMirror && backendRef is not null
        select new BackendReference(
            $"{location} RequestMirror filter",
            backendRef,
            backendRef.Namespace ?? route.Metadata.NamespaceProperty,
            route.Kind
        );
}

/// <summary>A reference of a route to a backend.</summary>
/// <param name="Location">Its location in the spec, for messages: <c>rule 0 backendRef 1</c>.</param>
/// <param name="Ref">The reference.</param>
/// <param name="Namespace">The namespace that it refers to.</param>
/// <param name="RouteKind">Kind of the route.</param>
public sealed record BackendReference(string Location, BackendObjectReference Ref, string Namespace, string RouteKind)
{
    /// <summary>Whether it refers to a Service of the core group.</summary>
    public bool IsService => Ref.RefersToService();
}
