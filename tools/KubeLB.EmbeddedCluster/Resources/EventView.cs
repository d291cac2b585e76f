using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Converts objects of another API group from and to their stored form.</summary>
internal sealed record ResourceView(Func<JsonObject, JsonObject> FromStorage, Func<JsonObject, JsonObject> ToStorage)
{
    private static readonly (string Core, string View)[] EventMembers =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
    ];

    /// <summary>events.k8s.io: the core Events with renamed fields.</summary>
    public static ResourceView Events { get; } =
        new(
            tree => Rename(tree, EventMembers.Select(member => (member.Core, member.View))),
            tree => Rename(tree, EventMembers.Select(member => (member.View, member.Core)))
        );

    private static JsonObject Rename(JsonObject tree, IEnumerable<(string From, string To)> names)
    {
        var renamed = tree.Copy();
        foreach (var (from, to) in names)
        {
            if (renamed.TryGetPropertyValue(from, out var value))
            {
                renamed.Remove(from);
                renamed[to] = value;
            }
        }
        return renamed;
    }
}
