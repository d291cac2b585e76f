using System.Security.Cryptography.X509Certificates;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Computes the ports of a Gateway from evaluations. Pure.</summary>
internal static class GatewayPlan
{
    /// <summary>Returns the ports of a Gateway.</summary>
    /// <param name="gateway">The evaluated Gateway.</param>
    /// <param name="routes">The evaluated routes that reference it.</param>
    /// <param name="certificate">Reads the certificate of a Secret.</param>
    public static IReadOnlyList<PortPlan> Of(
        GatewayEvaluation gateway,
        IReadOnlyList<RouteEvaluation> routes,
        Func<(string Namespace, string Name), X509Certificate2?> certificate
    ) =>
        [
            .. gateway
                .Listeners.Where(l => l.IsProgrammed && l.Listener.Protocol is "HTTP" or "HTTPS")
                .GroupBy(l => l.Listener.Port)
                .Select(port => new PortPlan(
                    port.Key,
                    port.First().Listener.Protocol == "HTTPS",
                    new RouteTable(
                        port.Select(l => new ListenerRoutes(l.Listener.Name, l.Listener.Hostname ?? "", Entries(gateway.Key, l, routes)))
                    ),
                    Certificates(gateway.Gateway, port, certificate)
                )
                {
                    Rejection = Rejection(gateway.Key, port, routes),
                }),
        ];

    // Envoy validates the routes of a port together.
    private static string? Rejection(ResourceKey gateway, IEnumerable<ListenerEvaluation> listeners, IReadOnlyList<RouteEvaluation> routes)
    {
        var names = listeners.Select(l => l.Listener.Name).ToHashSet(StringComparer.Ordinal);
        return (
            from route in routes
            where
                route
                    .Parents.Where(p => p.IsAccepted)
                    .SelectMany(p => p.Attachments)
                    .Any(a => a.Gateway == gateway && names.Contains(a.Listener))
            from rule in route.Rules
            where rule.Error is null
            let error = HeaderFormat.Error(rule.Action.Filters.Concat(rule.Action.Backends.SelectMany(b => b.Filters)))
            where error is not null
            select $"{route.Route.Kind} {ResourceKey.Of(route.Route)}: {error}"
        ).FirstOrDefault();
    }

    private static List<RouteEntry> Entries(ResourceKey gateway, ListenerEvaluation listener, IReadOnlyList<RouteEvaluation> routes)
    {
        var entries = new List<RouteEntry>();
        foreach (var route in routes)
        {
            var hostnames = route
                .Parents.Where(p => p.IsAccepted)
                .SelectMany(p => p.Attachments)
                .Where(a => a.Gateway == gateway && a.Listener == listener.Listener.Name)
                .SelectMany(a => a.Hostnames)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .ToList();
            var created = route.Route.Metadata.CreationTimestamp ?? DateTime.MaxValue;
            var name = ResourceKey.Of(route.Route).ToString();
            entries.AddRange(
                from rule in route.Rules
                where rule.Error is null
                from match in rule.Matches.Select((match, index) => (match, index))
                from hostname in hostnames
                select new RouteEntry(hostname, match.match, rule.Action, new RouteOrigin(created, name, rule.Index, match.index))
            );
        }

        return entries;
    }

    private static List<(string, X509Certificate2)> Certificates(
        Gateway gateway,
        IEnumerable<ListenerEvaluation> listeners,
        Func<(string Namespace, string Name), X509Certificate2?> certificate
    ) =>
        [
            .. from listener in listeners
            from reference in listener.Listener.Tls?.CertificateRefs ?? []
            let found = certificate(CertificateEvaluator.Target(gateway, reference))
            where found is not null
            select (listener.Listener.Hostname ?? "", found),
        ];
}
