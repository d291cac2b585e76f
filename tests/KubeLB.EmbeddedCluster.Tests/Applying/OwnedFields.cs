using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;

namespace KubeLB.EmbeddedCluster.Tests.Applying;

/// <summary>Reads managedFields of answers.</summary>
internal static class OwnedFields
{
    /// <summary>The paths that a manager owns, as conflicts print them.</summary>
    public static IReadOnlyList<string> Of(JsonNode tree, string manager) =>
        [
            .. (tree["metadata"]?["managedFields"]?.AsArray() ?? [])
                .Where(entry => (string?)entry!["manager"] == manager)
                .SelectMany(entry => FieldSet.Parse(entry!["fieldsV1"]!.AsObject()).Paths().Select(FieldElement.Describe)),
        ];
}
