using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>Replaces what differs from run to run by the placeholders of the recording.</summary>
public static partial class Volatile
{
    public static JsonNode? Replace(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray list:
                return new JsonArray([.. list.Select(item => Replace(item))]);
            case JsonObject tree:
                var result = new JsonObject();
                foreach (var (name, value) in tree)
                {
                    // Who wrote what is not in the recording.
                    if (name == "managedFields")
                    {
                        continue;
                    }
                    result[name] = name switch
                    {
                        "uid" => "<uid>",
                        "resourceVersion" => "<rv>",
                        "creationTimestamp" or "deletionTimestamp" or "lastTransitionTime" => "<time>",
                        "continue" => "<continue>",
                        "nodePort" => "<port>",
                        "clusterIP" => (string?)value == "None" ? "None" : "<ip>",
                        "clusterIPs" => new JsonArray([
                            .. value!.AsArray().Select(item => JsonValue.Create((string?)item == "None" ? "None" : "<ip>")),
                        ]),
                        "message" => Uid().Replace((string)value!, "<uid>"),
                        _ => Replace(value),
                    };
                }
                return result;
            default:
                return node?.DeepClone();
        }
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();
}
