using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Applying;

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
