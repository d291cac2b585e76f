using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// What an annotation remembers of our latest apply, so that the next one (also after a restart) knows which fields are there because of
/// us. <c>h</c>: hash of the desired content; <c>l</c>, <c>a</c>: keys of labels and annotations; <c>f</c>: fields, as a tree whose leaves
/// are <c>1</c>, or for a list of objects a hash of what it was to hold, because a list is written as a whole (in
/// <see cref="ApplyMode.Exclusive"/> only the top-level sections, because everything inside them is ours anyway).
/// </summary>
internal sealed record AppliedRecord(string Hash, IReadOnlyList<string> Labels, IReadOnlyList<string> Annotations, JsonObject Fields)
{
    public static AppliedRecord None { get; } = new("", [], [], []);

    public static AppliedRecord Of(DesiredObject desired, ApplyMode mode)
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

    /// <summary>Reads the annotation; anything unreadable counts as nothing remembered.</summary>
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

    /// <summary>Takes over what an earlier record says of a field.</summary>
    /// <param name="path">A path such as <c>spec.template</c>.</param>
    /// <param name="before">The fields of the earlier record.</param>
    public void Keep(string path, JsonObject before)
    {
        var steps = path.Split('.');
        if (At(before, steps) is { } known && At(Fields, steps[..^1]) is JsonObject parent)
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
    /// Whether a list held something else when it was last written by us: fewer fields in one of its entries do not show in the object
    /// itself.
    /// </summary>
    /// <param name="setBefore">What the record says of the list.</param>
    /// <param name="wanted">What the list is to hold.</param>
    public static bool IsOtherList(JsonNode? setBefore, JsonNode? wanted) =>
        setBefore is JsonValue hash
        && hash.GetValueKind() == JsonValueKind.String
        && IsListOfObjects(wanted)
        && hash.GetValue<string>() != HashOf(wanted);

    private static JsonNode? At(JsonObject root, IEnumerable<string> steps) =>
        steps.Aggregate((JsonNode?)root, (node, step) => (node as JsonObject)?[step]);

    private static bool IsListOfObjects(JsonNode? node) => node is JsonArray list && list.Any(item => item is JsonObject);

    private static string HashOf(JsonNode? list) => CanonicalJson.Hash(list)[..16];

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
