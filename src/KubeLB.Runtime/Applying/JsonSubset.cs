using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Whether an object holds everything that is desired of it, whatever else it holds. This is how defaults that the API server filled in
/// are told from differences.
/// </summary>
public static class JsonSubset
{
    /// <summary>
    /// True if every field of <paramref name="desired"/> is in <paramref name="current"/> with the same value. A null in
    /// <paramref name="desired"/> asks for absence. Arrays must have the same length and are compared element by element.
    /// </summary>
    public static bool Contains(JsonNode? current, JsonNode? desired) =>
        desired switch
        {
            null => current is null,
            JsonObject wanted => current is JsonObject held ? wanted.All(field => Contains(held[field.Key], field.Value)) : false,
            JsonArray wanted => current is JsonArray held
                && held.Count == wanted.Count
                && wanted.Zip(held).All(pair => Contains(pair.Second, pair.First)),
            _ => JsonScalars.Same(current, desired),
        };
}
