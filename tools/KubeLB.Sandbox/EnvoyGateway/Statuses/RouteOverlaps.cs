using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>
/// Routes of a Gateway with equal matches for one hostname of a listener: the oldest one receives all requests. Envoy Gateway reports the
/// others on each of them. Pure.
/// </summary>
internal static class RouteOverlaps
{
    // Envoy Gateway lists all. Limits the time and the messages if many routes overlap.
    private const int MaxNames = 50;

    /// <summary>The findings of overlapping routes.</summary>
    /// <param name="gateway">The evaluated Gateway.</param>
    /// <param name="routes">The evaluated routes that reference it.</param>
    public static Overlaps Of(GatewayEvaluation gateway, IReadOnlyList<RouteEvaluation> routes)
    {
        var buckets = new Dictionary<(string Listener, string Hostname, string Match), List<string>>();
        var memberships = new List<(RouteEvaluation Route, int Parent, HashSet<List<string>> Buckets)>();
        var served = gateway.Listeners.Where(l => l.IsProgrammed).Select(l => l.Listener.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var route in routes)
        {
            var name = NameOf(route.Route);
            var matches = route.Rules.Where(r => r.Error is null).SelectMany(r => r.Matches).Select(m => m.Key).Distinct().ToList();
            foreach (var (index, parent) in route.Parents.Index().Where(p => p.Item.IsAccepted))
            {
                var keys =
                    from attachment in parent.Attachments
                    where attachment.Gateway == gateway.Key && served.Contains(attachment.Listener)
                    from hostname in attachment.Hostnames
                    from match in matches
                    select (attachment.Listener, hostname.ToLowerInvariant(), match);
                var members = new HashSet<List<string>>();
                foreach (var key in keys)
                {
                    if (!buckets.TryGetValue(key, out var bucket))
                    {
                        buckets[key] = bucket = [];
                    }

                    // All entries of a route are added in a row.
                    if (bucket.Count == 0 || bucket[^1] != name)
                    {
                        bucket.Add(name);
                    }

                    members.Add(bucket);
                }

                memberships.Add((route, index, members));
            }
        }

        foreach (var bucket in buckets.Values)
        {
            bucket.Sort(StringComparer.Ordinal);
        }

        var findings = new Dictionary<(string, ResourceKey, int), Finding>();
        foreach (var (route, parent, members) in memberships)
        {
            if (FindingOf(NameOf(route.Route), members) is { } finding)
            {
                findings[(route.Route.Kind, ResourceKey.Of(route.Route), parent)] = finding;
            }
        }

        return new Overlaps(findings);
    }

    private static string NameOf(IGatewayRoute route) => $"{route.Kind} {ResourceKey.Of(route)}";

    private static Finding? FindingOf(string route, IEnumerable<List<string>> buckets)
    {
        // One more than are listed, and the route itself.
        var others = new SortedSet<string>(buckets.Where(b => b.Count > 1).SelectMany(b => b.Take(MaxNames + 2)), StringComparer.Ordinal);
        others.Remove(route);
        return others.Count == 0
            ? null
            : new Finding(
                GatewayConditions.RouteRulesOverlap,
                true,
                GatewayConditions.RouteRulesOverlap,
                $"Overlapping match conditions with route(s): {string.Join(", ", others.Take(MaxNames))}"
                    + (others.Count > MaxNames ? " and others" : "")
            );
    }
}

/// <summary>The overlapping routes of a Gateway.</summary>
/// <param name="findings">The findings by kind and key of the route, and index of its parent.</param>
internal sealed class Overlaps(IReadOnlyDictionary<(string Kind, ResourceKey Route, int Parent), Finding> findings)
{
    private readonly IReadOnlyDictionary<(string Kind, ResourceKey Route, int Parent), Finding> _findings = findings;

    /// <summary>No overlapping routes.</summary>
    public static Overlaps None { get; } = new(new Dictionary<(string, ResourceKey, int), Finding>());

    /// <summary>The finding for a parent of a route; null if the route overlaps no other one there.</summary>
    public Finding? Find(IGatewayRoute route, int parent) => _findings.GetValueOrDefault((route.Kind, ResourceKey.Of(route), parent));

    /// <summary>The routes whose findings differ from earlier ones.</summary>
    public IEnumerable<(string Kind, ResourceKey Route)> ChangedSince(Overlaps before) =>
        _findings
            .Keys.Union(before._findings.Keys)
            .Where(k => _findings.GetValueOrDefault(k) != before._findings.GetValueOrDefault(k))
            .Select(k => (k.Kind, k.Route));
}
