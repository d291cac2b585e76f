using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Translation.Nodes;

/// <summary>
/// Chooses some of many nodes, evenly over zones. The choice depends on names only, not on order or age, and a node that comes or goes
/// moves at most one other: in every zone nodes stand in a queue by the hash of their names, and zones take turns.
/// </summary>
internal static class NodeSpread
{
    public static IEnumerable<NodeFacts> Choose(IReadOnlyCollection<NodeFacts> nodes, int count) =>
        nodes
            .GroupBy(node => node.Zone, StringComparer.Ordinal)
            .SelectMany(zone =>
                zone.OrderBy(node => Rank(node.Name), StringComparer.Ordinal)
                    .Select((node, turn) => (Node: node, Turn: turn, Zone: Rank(zone.Key)))
            )
            .OrderBy(place => place.Turn)
            .ThenBy(place => place.Zone, StringComparer.Ordinal)
            .Take(count)
            .Select(place => place.Node);

    private static string Rank(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
