using System.Text.Json.Nodes;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>Where two JSON texts differ, so that a failing test says it.</summary>
internal static class Differences
{
    public static IEnumerable<string> Between(JsonNode? expected, JsonNode? actual, string path = "$") =>
        (expected, actual) switch
        {
            (JsonObject left, JsonObject right) => left.Select(f => f.Key)
                .Union(right.Select(f => f.Key))
                .SelectMany(name =>
                    left.ContainsKey(name) && right.ContainsKey(name)
                        ? Between(left[name], right[name], $"{path}.{name}")
                        : [$"{path}.{name} is only in the {(left.ContainsKey(name) ? "original" : "result")}"]
                ),
            (JsonArray left, JsonArray right) when left.Count == right.Count => left.SelectMany(
                (item, i) => Between(item, right[i], $"{path}[{i}]")
            ),
            _ => JsonNode.DeepEquals(expected, actual)
                ? []
                : [$"{path}: {expected?.ToJsonString() ?? "null"} became {actual?.ToJsonString() ?? "null"}"],
        };
}
