using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>Merges an applied object into the current one, and removes fields.</summary>
internal static class TreeMerge
{
    /// <summary>Returns the current object merged with the applied one. Neither is modified.</summary>
    public static JsonObject Merge(JsonObject current, JsonObject applied, FieldShape shape) => MergeMaps(current, applied, shape);

    /// <summary>Returns the object without the fields of a set and everything below them.</summary>
    public static JsonObject Remove(JsonObject tree, FieldSet fields, FieldShape shape)
    {
        var result = (JsonObject)tree.DeepClone();
        RemoveFrom(result, fields, shape);
        return result;
    }

    private static JsonNode? MergeValues(JsonNode? current, JsonNode? applied, FieldShape declared)
    {
        var shape = declared.For(applied, current);
        return (current, applied, shape) switch
        {
            (JsonObject old, JsonObject tree, { Form: ShapeForm.Map, IsAtomic: false }) => MergeMaps(old, tree, shape),
            (JsonArray old, JsonArray list, { Form: ShapeForm.List, IsAtomic: false }) => MergeLists(old, list, shape),
            _ => applied?.DeepClone(),
        };
    }

    private static JsonObject MergeMaps(JsonObject current, JsonObject applied, FieldShape shape)
    {
        var result = new JsonObject();
        foreach (var (name, item) in current)
        {
            result[name] = applied.TryGetPropertyValue(name, out var value)
                ? MergeValues(item, value, shape.Member(name, out _))
                : item?.DeepClone();
        }
        foreach (var (name, item) in applied)
        {
            if (!current.ContainsKey(name))
            {
                result[name] = item?.DeepClone();
            }
        }
        return result;
    }

    /// <summary>Items have the applied order; items that are only in the current list stay before their successor.</summary>
    private static JsonArray MergeLists(JsonArray current, JsonArray applied, FieldShape shape)
    {
        if (ListItems.Index(shape, current) is not { } known || ListItems.Index(shape, applied) is not { } desired)
        {
            return (JsonArray)applied.DeepClone();
        }
        var before = new Dictionary<string, List<JsonNode?>>(StringComparer.Ordinal);
        var unshared = new List<JsonNode?>();
        foreach (var item in current)
        {
            var element = ListItems.ElementOf(shape, item);
            if (!desired.ContainsKey(element))
            {
                unshared.Add(item);
            }
            else if (before.TryAdd(element, unshared))
            {
                unshared = [];
            }
        }
        var order = desired.Keys.ToList();
        var lastShared = order.FindLastIndex(known.ContainsKey);
        var result = new JsonArray();
        for (var i = 0; i < order.Count; i++)
        {
            if (i == lastShared + 1)
            {
                Append(unshared);
            }
            if (before.TryGetValue(order[i], out var preceding))
            {
                Append(preceding);
            }
            var old = known.GetValueOrDefault(order[i]);
            foreach (var item in desired[order[i]])
            {
                result.Add(old is { Count: 1 } ? MergeValues(old[0], item, shape.Element!) : item?.DeepClone());
            }
        }
        if (lastShared + 1 >= order.Count)
        {
            Append(unshared);
        }
        return result;

        void Append(List<JsonNode?> items)
        {
            foreach (var item in items)
            {
                result.Add(item?.DeepClone());
            }
        }
    }

    private static void RemoveFrom(JsonNode? value, FieldSet fields, FieldShape declared)
    {
        var shape = declared.For(value);
        switch (value)
        {
            case JsonObject tree when shape.Form == ShapeForm.Map:
                foreach (var (element, below) in fields.Children)
                {
                    if (FieldElement.MemberName(element) is not { } name || !tree.TryGetPropertyValue(name, out var item))
                    {
                        continue;
                    }
                    if (below.IsMember)
                    {
                        tree.Remove(name);
                    }
                    else
                    {
                        RemoveFrom(item, below, shape.Member(name, out _));
                    }
                }
                break;
            case JsonArray list when shape is { Form: ShapeForm.List, IsAtomic: false }:
                foreach (var item in list.ToList())
                {
                    if (fields.Child(ElementOrEmpty(shape, item)) is not { } below)
                    {
                        continue;
                    }
                    if (below.IsMember)
                    {
                        list.Remove(item);
                    }
                    else
                    {
                        RemoveFrom(item, below, shape.Element!);
                    }
                }
                break;
        }
    }

    private static string ElementOrEmpty(FieldShape shape, JsonNode? item)
    {
        try
        {
            return ListItems.ElementOf(shape, item);
        }
        catch (FormatException)
        {
            return "";
        }
    }
}
