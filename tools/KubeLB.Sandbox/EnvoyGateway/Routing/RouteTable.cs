using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>One match of a rule of a route for one hostname.</summary>
/// <param name="Hostname">Hostname; empty for all.</param>
/// <param name="Match">The conditions.</param>
/// <param name="Action">The action.</param>
/// <param name="Origin">The origin.</param>
internal sealed record RouteEntry(string Hostname, RouteMatch Match, RouteAction Action, RouteOrigin Origin);

/// <summary>The origin of a <see cref="RouteEntry"/>, for precedence.</summary>
/// <param name="Created">Creation time of the route.</param>
/// <param name="Route"><c>namespace/name</c> of the route.</param>
/// <param name="Rule">Index of the rule.</param>
/// <param name="Match">Index of the match.</param>
internal sealed record RouteOrigin(DateTime Created, string Route, int Rule, int Match);

/// <summary>The routes of one listener.</summary>
/// <param name="Name">Name of the listener.</param>
/// <param name="Hostname">Hostname; empty for all.</param>
/// <param name="Entries">Its routes, in any order.</param>
internal sealed record ListenerRoutes(string Name, string Hostname, IReadOnlyList<RouteEntry> Entries);

/// <summary>
/// The routes of all listeners of one port, in Gateway API's order of precedence: the listener with the most specific hostname, then the
/// most specific hostname of its routes, then the most specific match.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (matches)</remarks>
internal sealed class RouteTable
{
    private readonly List<(string Hostname, List<(string Hostname, List<RouteEntry> Entries)> HostShutdown)> _listeners;

    /// <summary>Creates a table.</summary>
    public RouteTable(IEnumerable<ListenerRoutes> listeners)
    {
        _listeners =
        [
            .. listeners
                .OrderBy(l => l.Hostname, Comparer<string>.Create(Hostnames.CompareSpecificity))
                .Select(l => (l.Hostname, HostShutdown(l.Entries))),
        ];
    }

    /// <summary>A table without routes.</summary>
    public static RouteTable Empty { get; } = new([]);

    /// <summary>The matching entry of a request; null if there is none.</summary>
    public RouteEntry? Find(RequestAttributes request)
    {
        foreach (var listener in _listeners)
        {
            if (Hostnames.Matches(listener.Hostname, request.Host))
            {
                // Only the most specific hostname is used, even if none of its routes matches, as with virtual hosts.
                var host = listener.HostShutdown.FirstOrDefault(h => Hostnames.Matches(h.Hostname, request.Host));
                return host.Entries?.FirstOrDefault(entry => entry.Match.Matches(request));
            }
        }

        return null;
    }

    /// <summary>Orders matches of one hostname by precedence.</summary>
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

    private static List<(string Hostname, List<RouteEntry> Entries)> HostShutdown(IEnumerable<RouteEntry> entries) =>
        [
            .. entries
                .GroupBy(e => e.Hostname, StringComparer.OrdinalIgnoreCase)
                .OrderBy(g => g.Key, Comparer<string>.Create(Hostnames.CompareSpecificity))
                .Select(g => (g.Key, g.Order(Comparer<RouteEntry>.Create(Compare)).ToList())),
        ];
}

/// <summary>A backend of a rule.</summary>
/// <param name="Namespace">Namespace of the Service.</param>
/// <param name="Service">Name of the Service.</param>
/// <param name="Port">Port of the Service.</param>
/// <param name="Weight">Weight.</param>
/// <param name="IsValid">False if the reference is not resolved: its share of requests gets 500.</param>
/// <param name="Filters">Filters for this backend.</param>
internal sealed record BackendTarget(
    string Namespace,
    string Service,
    int Port,
    int Weight,
    bool IsValid,
    IReadOnlyList<RouteFilter> Filters
);

/// <summary>The action of a rule.</summary>
internal sealed record RouteAction
{
    /// <summary>Filters of the rule.</summary>
    public IReadOnlyList<RouteFilter> Filters { get; init; } = [];

    /// <summary>The backends.</summary>
    public IReadOnlyList<BackendTarget> Backends { get; init; } = [];

    /// <summary>The mirrors.</summary>
    public IReadOnlyList<(BackendTarget Target, double Percent)> Mirrors { get; init; } = [];

    /// <summary>Timeout of the request; null for none.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>Timeout of the backend request; null for none.</summary>
    public TimeSpan? BackendTimeout { get; init; }

    /// <summary>The retry rule; null for no retries.</summary>
    public RetryRule? Retry { get; init; }

    /// <summary>The CORS rule; null for none.</summary>
    public CorsRule? Cors { get; init; }

    /// <summary>The session persistence; null for none.</summary>
    public SessionRule? Session { get; init; }

    /// <summary>Whether HTTP/2 is used for backends.</summary>
    public bool IsGrpc { get; init; }

    /// <summary>
    /// Selects a backend by weight for a random number from 0 (inclusive) to 1 (exclusive); null if the total weight is 0.
    /// </summary>
    public BackendTarget? Choose(double draw)
    {
        var total = Backends.Sum(b => b.Weight);
        var point = draw * total;
        foreach (var backend in Backends)
        {
            point -= backend.Weight;
            if (point < 0)
            {
                return backend;
            }
        }

        return null;
    }
}

/// <summary>Hostname matching of Gateway API, with optional <c>*.</c> prefix. An empty hostname matches every host.</summary>
internal static class Hostnames
{
    /// <summary>Whether a hostname matches a host.</summary>
    public static bool Matches(string name, string host) =>
        name.Length == 0
        || string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (IsWildcard(name) && host.Length > name.Length - 1 && host.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase));

    /// <summary>The more specific of a listener's and a route's hostname if they intersect; null otherwise.</summary>
    public static string? Intersect(string listener, string route)
    {
        if (listener.Length == 0 || route.Length == 0)
        {
            return listener + route;
        }

        if (
            Matches(listener, route)
            || (IsWildcard(listener) && IsWildcard(route) && route.EndsWith(listener[1..], StringComparison.OrdinalIgnoreCase))
        )
        {
            return route;
        }

        return
            Matches(route, listener)
            || (IsWildcard(listener) && IsWildcard(route) && listener.EndsWith(route[1..], StringComparison.OrdinalIgnoreCase))
            ? listener
            : null;
    }

    /// <summary>Orders hostnames: exact ones first, then wildcards, longer before shorter, the empty hostname last.</summary>
    public static int CompareSpecificity(string x, string y)
    {
        var exact = (!IsWildcard(y) && y.Length > 0).CompareTo(!IsWildcard(x) && x.Length > 0);
        return exact != 0 ? exact : y.Length.CompareTo(x.Length);
    }

    /// <summary>The host of a Host header: lower case, without port.</summary>
    public static string FromHeader(string header)
    {
        var end = header.StartsWith('[')
            ? header.IndexOf(']', StringComparison.Ordinal) + 1
            : header.IndexOf(':', StringComparison.Ordinal);
        return (end > 0 ? header[..end] : header).ToLowerInvariant();
    }

    private static bool IsWildcard(string name) => name.StartsWith("*.", StringComparison.Ordinal);
}
