using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>
/// One step of a field path, in the text of the FieldsV1 format: <c>f:name</c> for a member, <c>k:{...}</c> for a list item with these
/// keys, <c>v:value</c> for an item of a set, <c>i:0</c> for an index.
/// </summary>
internal static class FieldElement
{
    public static string Member(string name) => "f:" + name;

    public static string Value(JsonNode value) => "v:" + value.ToJsonString(JsonText.Options);

    public static string Keys(IEnumerable<KeyValuePair<string, JsonNode?>> keys) => "k:" + Sorted(keys).ToJsonString(JsonText.Options);

    /// <summary>The name of a member; null for any other element.</summary>
    public static string? MemberName(string element) => element.StartsWith("f:", StringComparison.Ordinal) ? element[2..] : null;

    /// <summary>The element in canonical form.</summary>
    /// <exception cref="FormatException">The text is not a path element.</exception>
    public static string Normalize(string element)
    {
        if (element.Length < 2 || element[1] != ':')
        {
            throw new FormatException($"unknown field path element {element}");
        }
        switch (element[0])
        {
            case 'f':
                return element;
            case 'v':
                return Value(Parse(element) ?? throw new FormatException($"a set has no null items: {element}"));
            case 'k':
                return Keys(Parse(element) as JsonObject ?? throw new FormatException($"list keys must be an object: {element}"));
            case 'i' when int.TryParse(element.AsSpan(2), out _):
                return element;
            default:
                throw new FormatException($"unknown field path element {element}");
        }
    }

    /// <summary>The element as part of a path in messages: <c>.name</c>, <c>[name="a",port=80]</c>, <c>[="a"]</c>.</summary>
    public static string Describe(string element) =>
        element[0] switch
        {
            'f' => "." + element[2..],
            'k' => "["
                + string.Join(
                    ',',
                    ((JsonObject)JsonNode.Parse(element[2..])!).Select(key =>
                        $"{key.Key}={key.Value?.ToJsonString(JsonText.Options) ?? "null"}"
                    )
                )
                + "]",
            'v' => $"[={element[2..]}]",
            _ => $"[{element[2..]}]",
        };

    public static string Describe(IEnumerable<string> path) => string.Concat(path.Select(Describe));

    private static JsonNode? Parse(string element)
    {
        try
        {
            return JsonNode.Parse(element[2..]);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"field path element {element} is not JSON", exception);
        }
    }

    private static JsonObject Sorted(IEnumerable<KeyValuePair<string, JsonNode?>> keys)
    {
        var sorted = new JsonObject();
        foreach (var (name, value) in keys.OrderBy(key => key.Key, StringComparer.Ordinal))
        {
            sorted[name] = value?.DeepClone();
        }
        return sorted;
    }
}

/// <summary>The items of an associative list by path element.</summary>
internal static class ListItems
{
    /// <summary>The path element of an item.</summary>
    /// <exception cref="FormatException">The item has no key, or is not valid in a set.</exception>
    public static string ElementOf(FieldShape list, JsonNode? item)
    {
        if (list.Keys.Count == 0)
        {
            return item switch
            {
                JsonValue value => FieldElement.Value(value),
                JsonObject => throw new FormatException("associative list without keys has an element that's a map type"),
                JsonArray => throw new FormatException("not supported: associative list with lists as elements"),
                _ => throw new FormatException("associative list without keys has an element that's an explicit null"),
            };
        }
        if (item is not JsonObject tree)
        {
            throw new FormatException(
                item is null
                    ? "associative list with keys may not have a null element"
                    : "associative list with keys may not have non-map elements"
            );
        }
        var keys = new List<KeyValuePair<string, JsonNode?>>(list.Keys.Count);
        foreach (var key in list.Keys)
        {
            if (tree.TryGetPropertyValue(key, out var value))
            {
                keys.Add(new(key, value));
            }
            else if (list.KeyDefaults.TryGetValue(key, out var standard))
            {
                keys.Add(new(key, standard));
            }
        }
        return keys.Count > 0
            ? FieldElement.Keys(keys)
            : throw new FormatException(
                "associative list with keys has an element that omits all key fields "
                    + $"[{string.Join(' ', list.Keys.Select(Errors.FieldError.Quote))}] (and doesn't have default values for any key "
                    + "fields)"
            );
    }

    /// <summary>All items by element, in order; null if an item has no element, so that the list is handled as a whole.</summary>
    public static Dictionary<string, List<JsonNode?>>? Index(FieldShape list, JsonArray? items)
    {
        var result = new Dictionary<string, List<JsonNode?>>(StringComparer.Ordinal);
        foreach (var item in items ?? [])
        {
            string element;
            try
            {
                element = ElementOf(list, item);
            }
            catch (FormatException)
            {
                return null;
            }
            if (!result.TryGetValue(element, out var same))
            {
                result[element] = same = [];
            }
            same.Add(item);
        }
        return result;
    }
}
