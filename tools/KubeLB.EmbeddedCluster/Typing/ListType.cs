using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>An associative list of a built-in type.</summary>
/// <param name="Keys">The key members of an item; empty for a set of scalars.</param>
/// <param name="Defaults">Default values of absent keys.</param>
internal sealed record ListType(IReadOnlyList<string> Keys, IReadOnlyDictionary<string, JsonNode> Defaults);
