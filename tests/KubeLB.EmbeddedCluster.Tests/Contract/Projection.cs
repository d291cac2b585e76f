using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>Reduces a response to the recorded part, which for some exchanges is a summary.</summary>
public static class Projection
{
    public static JsonNode? Of(Exchange exchange, JsonNode? body)
    {
        var recorded = exchange.Response["body"];
        switch (exchange.Name)
        {
            case "version":
                return Keys(body);
            case "api versions":
                return Pick(body, "kind", "versions");
            case "group list is an APIGroupList":
                var groups = Pick(body, "kind", "apiVersion");
                groups["firstKeys"] = Keys(body!["groups"]![0]);
                return groups;
            case "core resources":
                var names = recorded!["resources"]!.AsArray().Select(item => (string)item!["name"]!).ToHashSet();
                var list = Pick(body, "kind", "groupVersion");
                list["resources"] = new JsonArray([
                    .. body!["resources"]!
                        .AsArray()
                        .Where(item => names.Contains((string)item!["name"]!))
                        .Select(item => item!.DeepClone()),
                ]);
                return list;
            case "aggregated discovery of core":
                var aggregated = Pick(body, "kind", "apiVersion");
                aggregated["service"] = new JsonArray([
                    .. body!["items"]![0]!["versions"]![0]!["resources"]!
                        .AsArray()
                        .Where(item => (string)item!["resource"]! == "services")
                        .Select(item => item!.DeepClone()),
                ]);
                return aggregated;
            case "generateName":
                var generated = Pick(body!["metadata"], "generateName");
                generated["nameLength"] = ((string)body["metadata"]!["name"]!).Length;
                return generated;
            case "a spec patch cannot touch status of a service" or "the status subresource can":
                return body!["status"]!.DeepClone();
            case "create a node":
                var node = Pick(body, "kind");
                node["metadata"] = Keys(body!["metadata"]);
                return node;
            case "node status is a subresource":
                return body!["status"]!["addresses"]!.DeepClone();
            case "delete a collection by label":
                var deleted = Pick(body, "kind");
                deleted["names"] = Names(body);
                return deleted;
            case "create a CRD":
                var created = Pick(body, "kind");
                created["generation"] = body!["metadata"]!["generation"]!.DeepClone();
                return created;
            case "CRD conditions":
                return new JsonArray([.. body!["status"]!["conditions"]!.AsArray().Select(item => Pick(item, "type", "status", "reason"))]);
            case "several invalid fields":
                var sorted = body!.DeepClone();
                sorted.AsObject().Remove("message");
                sorted["details"]!["causes"] = new JsonArray([
                    .. body["details"]!["causes"]!
                        .AsArray()
                        .OrderBy(item => (string)item!["field"]!, StringComparer.Ordinal)
                        .Select(item => item!.DeepClone()),
                ]);
                return sorted;
            case "a metadata change keeps the generation":
                return body!["metadata"]!.DeepClone();
            case "a spec change raises the generation":
                return WithGeneration(body, "spec");
            case "a status change keeps the generation and ignores spec":
                return WithGeneration(body, "spec", "status");
            case "a no-op patch keeps the resourceVersion":
                return body!["metadata"]!["generation"]!.DeepClone();
            case "widgets as a table":
                var table = new JsonObject { ["columns"] = Columns(body) };
                table["cells"] = new JsonArray([
                    .. body!["rows"]!
                        .AsArray()
                        .Select(row => new JsonArray([.. row!["cells"]!.AsArray().SkipLast(1).Select(cell => cell?.DeepClone())])),
                ]);
                return table;
            case "delete the namespace":
                return Pick(body!["status"], "phase");
        }
        if (recorded is JsonObject { } summary && summary.ContainsKey("firstRow"))
        {
            var table = Pick(body, "kind", "apiVersion");
            table["columns"] = Columns(body);
            table["firstRow"] = new JsonArray(body!["rows"]![0]!["cells"]![0]!.DeepClone());
            table["rowObjectKind"] = body["rows"]![0]!["object"]!["kind"]!.DeepClone();
            return table;
        }
        if (recorded is JsonObject { } listing && listing.ContainsKey("itemsCarryKind"))
        {
            var list = Pick(body, "kind", "apiVersion", "metadata");
            list["names"] = Names(body);
            list["itemsCarryKind"] = body!["items"]!.AsArray().Any(item => item!["kind"] is not null);
            return list;
        }
        return body?.DeepClone();
    }

    private static JsonObject WithGeneration(JsonNode? body, params string[] members)
    {
        var result = new JsonObject { ["generation"] = body!["metadata"]!["generation"]!.DeepClone() };
        foreach (var member in members)
        {
            result[member] = body[member]?.DeepClone();
        }
        return result;
    }

    private static JsonArray Columns(JsonNode? body) =>
        new([.. body!["columnDefinitions"]!.AsArray().Select(column => Pick(column, "name", "type", "format", "priority"))]);

    private static JsonArray Names(JsonNode? body) =>
        new([.. body!["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.DeepClone())]);

    private static JsonArray Keys(JsonNode? node) =>
        new([.. node!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal).Select(key => JsonValue.Create(key))]);

    private static JsonObject Pick(JsonNode? node, params string[] members)
    {
        var result = new JsonObject();
        foreach (var member in members.Where(member => node![member] is not null))
        {
            result[member] = node![member]!.DeepClone();
        }
        return result;
    }
}

/// <summary>Replaces volatile values by the placeholders of the recording.</summary>
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
                    // Managed fields are not in the recording.
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

/// <summary>A recorded request to a real kube-apiserver, with its response.</summary>
public sealed record Exchange(string Name, JsonObject Request, JsonObject Response)
{
    public static IReadOnlyList<Exchange> All { get; } =
    [
        .. JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(AppContext.BaseDirectory, "Contract", "apiserver.json")))!["exchanges"]!
            .AsArray()
            .Select(exchange => new Exchange(
                (string)exchange!["name"]!,
                exchange["request"]!.AsObject(),
                exchange["response"]!.AsObject()
            )),
    ];

    public string Path => (string)Request["path"]!;

    public bool IsWatch => (bool?)Request["watch"] ?? false;

    public int Status => (int)Response["status"]!;
}
