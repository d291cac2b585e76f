using System.Text.Json.Nodes;

namespace KubeLB.Charts.Tests.Support;

/// <summary>Reads the charts' <c>values.schema.json</c>.</summary>
internal static class Schema
{
    public static JsonObject Of(string chart) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "values.schema.json")))!.AsObject();

    /// <summary>The schema of a value, by its dotted name; null if there is none.</summary>
    public static JsonObject? Find(JsonObject schema, string name) =>
        name.Split('.').Aggregate<string, JsonObject?>(schema, (node, part) => node?["properties"]?[part] as JsonObject);
}
