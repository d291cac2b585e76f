using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Backends;

/// <summary>Finds the backends of a route: backendRefs, and the mirrors of rules and of backendRefs.</summary>
public static class BackendReferences
{
    /// <summary>All references in the order of the spec.</summary>
    public static IEnumerable<BackendReference> Of(IGatewayRoute route)
    {
        var home = route.Metadata.NamespaceProperty;
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
                var where = $"rule {r} backendRef {b}";
                yield return new BackendReference(where, backendRefs[b], backendRefs[b].Namespace ?? home, route.Kind);
                foreach (var mirror in Mirrors(backendRefs[b].Filters, where, route))
                {
                    yield return mirror;
                }
            }
        }
    }

    /// <summary>The Services that the route refers to, each once.</summary>
    public static IEnumerable<(string Namespace, string Name)> ServicesOf(IGatewayRoute route) =>
        Of(route).Where(b => b.IsService).Select(b => (b.Namespace, b.Ref.Name)).Distinct();

    private static IEnumerable<BackendReference> Mirrors(List<RouteFilter>? filters, string where, IGatewayRoute route) =>
        from filter in filters ?? []
        let backendRef = filter.RequestMirror?.BackendRef
        where filter.Type == RouteFilterTypes.RequestMirror && backendRef is not null
        select new BackendReference(
            $"{where} RequestMirror filter",
            backendRef,
            backendRef.Namespace ?? route.Metadata.NamespaceProperty,
            route.Kind
        );
}
