namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>One match of one rule of one route, on one host name.</summary>
/// <param name="Hostname">Host name, empty for all.</param>
/// <param name="Match">The conditions.</param>
/// <param name="Action">What happens.</param>
/// <param name="Origin">Where it comes from.</param>
internal sealed record RouteEntry(string Hostname, RouteMatch Match, RouteAction Action, RouteOrigin Origin);

/// <summary>Where a <see cref="RouteEntry"/> comes from; breaks ties.</summary>
/// <param name="Created">When the route was created.</param>
/// <param name="Route"><c>namespace/name</c> of the route.</param>
/// <param name="Rule">Index of the rule.</param>
/// <param name="Match">Index of the match.</param>
internal sealed record RouteOrigin(DateTime Created, string Route, int Rule, int Match);

/// <summary>The routes of one listener.</summary>
/// <param name="Name">Name of the listener.</param>
/// <param name="Hostname">Host name, empty for all.</param>
/// <param name="Entries">Its routes, in any order.</param>
internal sealed record ListenerRoutes(string Name, string Hostname, IReadOnlyList<RouteEntry> Entries);

/// <summary>
/// The routes of all listeners of one port, in the order in which Gateway API wants them tried: the listener with the most specific host
/// name, in it the most specific host name of the routes, in that the most specific match.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (matches)</remarks>
internal sealed class RouteTable
{
    private readonly List<(string Hostname, List<(string Hostname, List<RouteEntry> Entries)> Hosts)> _listeners;

    /// <summary>Sorts the routes.</summary>
    public RouteTable(IEnumerable<ListenerRoutes> listeners)
    {
        _listeners =
        [
            .. listeners
                .OrderBy(l => l.Hostname, Comparer<string>.Create(Hostnames.CompareSpecificity))
                .Select(l => (l.Hostname, Hosts(l.Entries))),
        ];
    }

    /// <summary>A table without routes.</summary>
    public static RouteTable Empty { get; } = new([]);

    /// <summary>The entry that a request goes to; null if there is none.</summary>
    public RouteEntry? Find(RequestFacts request)
    {
        foreach (var listener in _listeners)
        {
            if (Hostnames.Matches(listener.Hostname, request.Host))
            {
                // Only the most specific host name counts, even if none of its routes matches: that is what a virtual host is.
                var host = listener.Hosts.FirstOrDefault(h => Hostnames.Matches(h.Hostname, request.Host));
                return host.Entries?.FirstOrDefault(entry => entry.Match.Matches(request));
            }
        }

        return null;
    }

    /// <summary>Orders matches of one host name by precedence.</summary>
    internal static int Compare(RouteEntry x, RouteEntry y)
    {
        ReadOnlySpan<int> order =
        [
            x.Match.Path.Kind.CompareTo(y.Match.Path.Kind),
            y.Match.Path.Value.Length.CompareTo(x.Match.Path.Value.Length),
            (y.Match.Method is not null).CompareTo(x.Match.Method is not null),
            y.Match.Headers.CompareTo(x.Match.Headers),
            y.Match.QueryParameters.CompareTo(x.Match.QueryParameters),
            x.Origin.Created.CompareTo(y.Origin.Created),
            string.CompareOrdinal(x.Origin.Route, y.Origin.Route),
            x.Origin.Rule.CompareTo(y.Origin.Rule),
            x.Origin.Match.CompareTo(y.Origin.Match),
        ];
        foreach (var step in order)
        {
            if (step != 0)
            {
                return step;
            }
        }

        return 0;
    }

    private static List<(string Hostname, List<RouteEntry> Entries)> Hosts(IEnumerable<RouteEntry> entries) =>
        [
            .. entries
                .GroupBy(e => e.Hostname, StringComparer.OrdinalIgnoreCase)
                .OrderBy(g => g.Key, Comparer<string>.Create(Hostnames.CompareSpecificity))
                .Select(g => (g.Key, g.Order(Comparer<RouteEntry>.Create(Compare)).ToList())),
        ];
}
