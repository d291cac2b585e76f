using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>
/// JSON for a type with every field that it knows and, in every object on the way that can have them, fields that it
/// does not know.
/// </summary>
internal static class MaximalJson
{
    private static readonly Dictionary<Type, string> Fixed = new()
    {
        [typeof(string)] = "\"text\"",
        [typeof(int)] = "7",
        [typeof(long)] = "9007199254740993",
        [typeof(bool)] = "true",
        [typeof(JsonObject)] = """{ "anything": { "goes": [1, "two", { "three": null }] } }""",
        [typeof(JsonElement)] = """{ "anything": { "goes": [1, "two", { "three": null }] } }""",
        [typeof(IntOrString)] = "\"http\"",
        [typeof(V1LabelSelector)] =
            """{ "matchLabels": { "a": "b" }, "matchExpressions": [{ "key": "c", "operator": "In", "values": ["d"] }] }""",
        [typeof(V1ResourceRequirements)] = """{ "limits": { "memory": "1Gi" }, "requests": { "cpu": "100m" } }""",
        [typeof(V1ObjectMeta)] = """
            {
              "name": "n", "namespace": "ns", "uid": "u", "resourceVersion": "12", "generation": 3,
              "creationTimestamp": "2026-11-23T00:51:38Z",
              "labels": { "a/b": "c" }, "annotations": { "d": "e" }, "finalizers": ["f/g"],
              "ownerReferences": [{ "apiVersion": "v1", "kind": "Service", "name": "s", "uid": "v", "controller": true }]
            }
            """,
    };

    /// <summary>How many objects with unknown fields <see cref="Of"/> puts into the JSON of a type.</summary>
    public static int CountUnknown(JsonNode? node) =>
        node switch
        {
            JsonObject json => (json.ContainsKey("xUnknown") ? 1 : 0) + json.Sum(field => CountUnknown(field.Value)),
            JsonArray array => array.Sum(CountUnknown),
            _ => 0,
        };

    public static JsonNode Of(Type type)
    {
        if (Fixed.TryGetValue(Nullable.GetUnderlyingType(type) ?? type, out var text))
        {
            return JsonNode.Parse(text)!;
        }

        if (type == typeof(RouteSpecJson))
        {
            return Of(typeof(RouteSpec));
        }

        if (type.IsAssignableTo(typeof(IDictionary)))
        {
            return new JsonObject { ["some/key"] = Of(type.GetGenericArguments()[1]) };
        }

        if (type.IsAssignableTo(typeof(IList)))
        {
            return new JsonArray(Of(type.GetGenericArguments()[0]), Of(type.GetGenericArguments()[0]));
        }

        if (!type.IsAssignableTo(typeof(Extensible)))
        {
            throw new NotSupportedException($"{type} neither keeps unknown fields nor has an example here.");
        }

        var json = Unknown();
        foreach (var property in type.GetProperties().Where(IsField))
        {
            var name =
                property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            json[name] = Of(property.PropertyType);
        }

        return json;
    }

    private static bool IsField(PropertyInfo property) =>
        property.GetCustomAttribute<JsonIgnoreAttribute>() is null && property.GetCustomAttribute<JsonExtensionDataAttribute>() is null;

    private static JsonObject Unknown() =>
        JsonNode
            .Parse(
                """
                {
                  "xUnknown": "text", "xNumber": 12345678901234567890, "xFraction": 0.10, "xFlag": false, "xNull": null,
                  "xList": [1, { "deep": [[]] }, null], "xObject": { "deep": { "deeper": "" } }, "X-Odd Name\u00e9": "\u4f60 <&> \"quoted\""
                }
                """
            )!
            .AsObject();
}
