using System.Net;
using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Translation.Matching;

namespace KubeLB.Inspection.Tracing;

/// <summary>A request to match or to send.</summary>
/// <param name="Method">The method.</param>
/// <param name="Headers">The headers, without Host.</param>
public sealed record ProbeRequest(string Method, IReadOnlyList<(string Name, string Value)> Headers)
{
    /// <summary>Where a port of a Gateway's address is served, if that is elsewhere: in a sandbox. Null for the address itself.</summary>
    public Func<IPAddress, int, IPEndPoint?>? Resolve { get; init; }
}

/// <summary>The rule that serves a request.</summary>
/// <param name="Route">The route.</param>
/// <param name="Rule">The index of the rule.</param>
/// <param name="Description">What matched, for example <c>PathPrefix /api</c>.</param>
internal sealed record RequestMatch(IGatewayRoute Route, int Rule, string Description)
{
    private const int MaxDescribed = 3;
    private const int MaxDescription = 100;

    /// <summary>The rules that match, by the precedence of Gateway API.</summary>
    /// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule</remarks>
    public static IEnumerable<RequestMatch> Find(IEnumerable<IGatewayRoute> routes, Uri url, ProbeRequest request)
    {
        var path = Uri.UnescapeDataString(url.AbsolutePath);
        var query = Query(url);
        return routes
            .Select(route => (Route: route, Hostname: BestHostname(route, url.Host)))
            .Where(r => r.Hostname is not null)
            .SelectMany(r => Candidates(r.Route, r.Hostname!, path, query, request))
            .OrderByDescending(c => c.Rank.HostnameLabels)
            .ThenByDescending(c => c.Rank.PathKind)
            .ThenByDescending(c => c.Rank.PathLength)
            .ThenByDescending(c => c.Rank.HasMethod)
            .ThenByDescending(c => c.Rank.Headers)
            .ThenByDescending(c => c.Rank.QueryParams)
            .ThenBy(c => c.Match.Route.Metadata.CreationTimestamp)
            .ThenBy(c => $"{c.Match.Route.Metadata.NamespaceProperty}/{c.Match.Route.Metadata.Name}", StringComparer.Ordinal)
            .ThenBy(c => c.Match.Rule)
            .Select(c => c.Match);
    }

    /// <summary>Whether the route has the hostname.</summary>
    public static bool HasHostname(IGatewayRoute route, string hostname) => BestHostname(route, hostname) is not null;

    /// <summary>What the rules of a route match, for a message: at most three matches.</summary>
    public static string DescribeAll(IGatewayRoute route)
    {
        var matches = route
            .Rules.SelectMany(Matches)
            .Take(MaxDescribed + 1)
            .Select(m => MessageText.Quote(Describe(m), MaxDescription))
            .ToList();
        return matches.Count == 0 ? "no rules"
            : matches.Count > MaxDescribed ? $"{string.Join(" or ", matches.Take(MaxDescribed))} …"
            : string.Join(" or ", matches);
    }

    /// <summary>The rules whose matches are all those of earlier rules of the route, which therefore get no requests.</summary>
    /// <returns>Indices of the rule, and of the first rule with its first match.</returns>
    public static IEnumerable<(int Rule, int First)> Shadowed(IGatewayRoute route)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < route.Rules.Count; i++)
        {
            var keys = Matches(route.Rules[i]).Select(KeyOf).ToList();
            if (keys.TrueForAll(seen.ContainsKey))
            {
                yield return (i, seen[keys[0]]);
            }

            foreach (var key in keys)
            {
                seen.TryAdd(key, i);
            }
        }
    }

    // Equal for matches of the same requests that are written alike.
    private static string KeyOf(HttpRouteMatch match) =>
        string.Join(
            '\n',
            new[] { match.Path?.Type ?? "PathPrefix", match.Path?.Value ?? "/", match.Method ?? "" }
                .Concat(KeysOf(match.Headers, name => name.ToUpperInvariant()))
                .Append("")
                .Concat(KeysOf(match.QueryParams, name => name))
        );

    private static IEnumerable<string> KeysOf(IEnumerable<NamedValueMatch>? matches, Func<string, string> normalize) =>
        (matches ?? []).Select(m => $"{normalize(m.Name)} {m.Type ?? "Exact"} {m.Value}").Order(StringComparer.Ordinal);

    private static string? BestHostname(IGatewayRoute route, string hostname) =>
        route.Hostnames.Count == 0
            ? ""
            : route.Hostnames.Where(h => Hostnames.IsWithin(hostname, h)).OrderByDescending(HostnameLabels).FirstOrDefault();

    // An exact hostname precedes a wildcard, and a long one a short one.
    private static int HostnameLabels(string hostname) =>
        hostname.Length == 0 ? 0 : (2 * hostname.Split('.').Length) - (hostname.StartsWith("*.", StringComparison.Ordinal) ? 1 : 0);

    private static IEnumerable<(RequestMatch Match, Ranking Rank)> Candidates(
        IGatewayRoute route,
        string hostname,
        string path,
        IReadOnlyDictionary<string, string> query,
        ProbeRequest request
    )
    {
        for (var i = 0; i < route.Rules.Count; i++)
        {
            foreach (var match in Matches(route.Rules[i]))
            {
                if (Rank(match, path, query, request) is { } rank)
                {
                    yield return (new RequestMatch(route, i, Describe(match)), rank with { HostnameLabels = HostnameLabels(hostname) });
                }
            }
        }
    }

    private static IEnumerable<HttpRouteMatch> Matches(RouteRule rule) =>
        rule switch
        {
            HttpRouteRule { Matches: { Count: > 0 } matches } => matches,
            GrpcRouteRule { Matches: { Count: > 0 } matches } => matches.Select(Http),
            _ => [new HttpRouteMatch()],
        };

    // A gRPC call is a POST to /service/method.
    private static HttpRouteMatch Http(GrpcRouteMatch match)
    {
        var (service, method) = (match.Method?.Service, match.Method?.Method);
        var isExpression = match.Method?.Type == "RegularExpression";
        var any = isExpression ? "[^/]+" : null;
        return new HttpRouteMatch
        {
            Headers = match.Headers,
            Path =
                service is null && method is null ? null
                : isExpression ? new HttpPathMatch { Type = "RegularExpression", Value = $"/{service ?? any}/{method ?? any}" }
                : service is null ? new HttpPathMatch { Type = "RegularExpression", Value = $"/[^/]+/{Regex.Escape(method!)}" }
                : method is null ? new HttpPathMatch { Type = "PathPrefix", Value = $"/{service}" }
                : new HttpPathMatch { Type = "Exact", Value = $"/{service}/{method}" },
        };
    }

    private static Ranking? Rank(HttpRouteMatch match, string path, IReadOnlyDictionary<string, string> query, ProbeRequest request)
    {
        var (kind, value) = (match.Path?.Type ?? "PathPrefix", match.Path?.Value ?? "/");
        var matches =
            kind switch
            {
                "Exact" => path == value,
                "RegularExpression" => IsMatch(value, path),
                _ => value == "/" || path == value.TrimEnd('/') || path.StartsWith(value.TrimEnd('/') + "/", StringComparison.Ordinal),
            }
            && (match.Method is null || match.Method == request.Method)
            && (match.Headers ?? []).TrueForAll(h => request.Headers.Any(r => IsSameHeader(r.Name, h.Name) && Matches(h, r.Value)))
            && (match.QueryParams ?? []).TrueForAll(q => query.TryGetValue(q.Name, out var found) && Matches(q, found));
        return matches
            ? new Ranking(
                kind == "Exact" ? 2
                    : kind == "RegularExpression" ? 0
                    : 1,
                value.Length,
                match.Method is not null,
                match.Headers?.Count ?? 0,
                match.QueryParams?.Count ?? 0
            )
            : null;
    }

    private static bool IsSameHeader(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static bool Matches(NamedValueMatch match, string value) =>
        match.Type == "RegularExpression" ? IsMatch(match.Value, value) : match.Value == value;

    private static bool IsMatch(string pattern, string value)
    {
        try
        {
            // As Envoy's RE2, in linear time: a tenant wrote it.
            return Regex.IsMatch(value, $"^(?:{pattern})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Describe(HttpRouteMatch match) =>
        string.Join(
            ", ",
            new[]
            {
                $"{match.Path?.Type ?? "PathPrefix"} {match.Path?.Value ?? "/"}",
                match.Method is { } method ? $"method {method}" : null,
            }
                .Concat((match.Headers ?? []).Select(h => $"header {h.Name}"))
                .Concat((match.QueryParams ?? []).Select(q => $"query parameter {q.Name}"))
                .OfType<string>()
        );

    private static Dictionary<string, string> Query(Uri url)
    {
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', 2);
            // The first of several decides, as in Envoy.
            query.TryAdd(Uri.UnescapeDataString(pair[0]), pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "");
        }

        return query;
    }

    private sealed record Ranking(int PathKind, int PathLength, bool HasMethod, int Headers, int QueryParams)
    {
        public int HostnameLabels { get; init; }
    }
}
