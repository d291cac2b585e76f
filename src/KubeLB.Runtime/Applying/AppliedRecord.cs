using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// The record of the last apply, stored in an annotation: the fields that this component set, so that a later apply can remove them, even
/// after a restart. <c>h</c>: hash of the desired content; <c>l</c>, <c>a</c>: keys of labels and annotations; <c>f</c>: fields, as a tree
/// whose leaves are <c>1</c>, or for a list of objects a hash of its desired content, because a list is replaced completely. In
/// <see cref="ApplyMode.Exclusive"/> the tree contains only the top-level sections, because the applier owns their entire content.
/// </summary>
internal sealed record AppliedRecord(string Hash, IReadOnlyList<string> Labels, IReadOnlyList<string> Annotations, JsonObject Fields)
{
    public static AppliedRecord None { get; } = new("", [], [], []);

    public static AppliedRecord From(DesiredObject desired, ApplyMode mode)
    {
        var fields = new JsonObject();
        foreach (var (name, section) in desired.Sections.OrderBy(field => field.Key, StringComparer.Ordinal))
        {
            if (section is not null)
            {
                fields[name] = mode == ApplyMode.Exclusive ? 1 : Tree(section);
            }
        }

        return new(desired.Hash, Keys(desired.Labels), Keys(desired.Annotations), fields);
    }

    /// <summary>Reads the annotation; an invalid value results in an empty record.</summary>
    public static AppliedRecord Parse(string? annotation)
    {
        if (string.IsNullOrEmpty(annotation))
        {
            return None;
        }

        try
        {
            return JsonNode.Parse(annotation) is JsonObject root
                ? new(
                    root["h"] is JsonValue hash && hash.GetValueKind() == JsonValueKind.String ? hash.GetValue<string>() : "",
                    Strings(root["l"]),
                    Strings(root["a"]),
                    root["f"]?.DeepClone() as JsonObject ?? []
                )
                : None;
        }
        catch (JsonException)
        {
            return None;
        }
    }

    /// <summary>Copies the entry of a field from an earlier record.</summary>
    /// <param name="path">A path such as <c>spec.template</c>.</param>
    /// <param name="earlier">The fields of the earlier record.</param>
    public void CopyField(string path, JsonObject earlier)
    {
        var steps = path.Split('.');
        if (At(earlier, steps) is { } known && At(Fields, steps[..^1]) is JsonObject parent)
        {
            parent[steps[^1]] = known.DeepClone();
        }
    }

    public string ToAnnotation()
    {
        var root = new JsonObject { ["h"] = Hash };
        if (Labels.Count > 0)
        {
            root["l"] = new JsonArray([.. Labels.Select(key => JsonValue.Create(key))]);
        }

        if (Annotations.Count > 0)
        {
            root["a"] = new JsonArray([.. Annotations.Select(key => JsonValue.Create(key))]);
        }

        if (Fields.Count > 0)
        {
            root["f"] = Fields.DeepClone();
        }

        return root.ToJsonString();
    }

    /// <summary>
    /// Whether a desired list differs from the list that the last apply wrote. A comparison with the current object does not detect a field
    /// that is no longer desired in a list entry.
    /// </summary>
    /// <param name="recorded">The entry of the list in the record.</param>
    /// <param name="desired">The desired list.</param>
    public static bool IsListChanged(JsonNode? recorded, JsonNode? desired) =>
        recorded is JsonValue hash
        && hash.GetValueKind() == JsonValueKind.String
        && IsListOfObjects(desired)
        && hash.GetValue<string>() != HashOf(desired);

    private static JsonNode? At(JsonObject root, IEnumerable<string> steps) =>
        steps.Aggregate((JsonNode?)root, (node, step) => (node as JsonObject)?[step]);

    private static bool IsListOfObjects(JsonNode? node) => node is JsonArray list && list.Any(item => item is JsonObject);

    private static string HashOf(JsonNode? list) => JsonComparison.Hash(list)[..16];

    private static JsonNode Tree(JsonNode node)
    {
        if (node is not JsonObject obj)
        {
            return IsListOfObjects(node) ? HashOf(node) : 1;
        }

        var tree = new JsonObject();
        foreach (var (name, value) in obj.OrderBy(field => field.Key, StringComparer.Ordinal))
        {
            if (value is not null)
            {
                tree[name] = Tree(value);
            }
        }

        return tree;
    }

    private static string[] Keys(JsonObject map) => [.. map.Select(entry => entry.Key).Order(StringComparer.Ordinal)];

    private static string[] Strings(JsonNode? node) =>
        node is JsonArray array
            ? [.. array.OfType<JsonValue>().Where(v => v.GetValueKind() == JsonValueKind.String).Select(v => v.GetValue<string>())]
            : [];
}
