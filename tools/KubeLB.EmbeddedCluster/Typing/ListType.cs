using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>A list of a built-in type that is merged by item.</summary>
/// <param name="Keys">The members that identify an item; none for a set of plain values.</param>
/// <param name="Defaults">Values of keys that an item leaves out.</param>
internal sealed record ListType(IReadOnlyList<string> Keys, IReadOnlyDictionary<string, JsonNode> Defaults);
