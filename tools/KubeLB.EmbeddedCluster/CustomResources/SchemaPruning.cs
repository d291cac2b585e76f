using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Removes members that a structural schema does not specify (KEP-2337), and reports their paths.</summary>
internal static class SchemaPruning
{
    /// <param name="value">The value to prune.</param>
    /// <param name="schema">Its schema.</param>
    /// <param name="isResource">Whether the value is an API object, which has apiVersion, kind and metadata.</param>
    /// <param name="path">The value's path, for <paramref name="pruned"/>.</param>
    /// <param name="pruned">Receives the paths of the removed members.</param>
    public static void Apply(JsonNode? value, SchemaNode schema, bool isResource, string path, List<string> pruned)
    {
        switch (value)
        {
            case JsonObject tree:
                PruneObject(tree, schema, isResource || schema.EmbeddedResource, path, pruned);
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    Apply(list[i], items, false, $"{path}[{i}]", pruned);
                }
                break;
        }
    }

    private static void PruneObject(JsonObject tree, SchemaNode schema, bool isResource, string path, List<string> pruned)
    {
        List<string>? dropped = null;
        foreach (var (name, item) in tree)
        {
            if (isResource && name is ("apiVersion" or "kind" or "metadata"))
            {
                continue;
            }
            var itemPath = path.Length == 0 ? name : $"{path}.{name}";
            if (schema.Properties.TryGetValue(name, out var property))
            {
                Apply(item, property, false, itemPath, pruned);
            }
            else if (schema.Additional is { } additional)
            {
                Apply(item, additional, false, itemPath, pruned);
            }
            else if (!schema.AllowsAdditional && !schema.PreserveUnknown)
            {
                pruned.Add(itemPath);
                (dropped ??= []).Add(name);
            }
        }
        foreach (var name in dropped ?? [])
        {
            tree.Remove(name);
        }
    }
}

/// <summary>Applies the defaults of a schema.</summary>
internal static class SchemaDefaulting
{
    public static void Apply(JsonNode? value, SchemaNode schema)
    {
        if (!schema.HasDefaults)
        {
            return;
        }
        switch (value)
        {
            case JsonObject tree:
                foreach (var (name, property) in schema.Properties)
                {
                    var exists = tree.TryGetPropertyValue(name, out var current);
                    if (current is null && property.HasDefault && (!exists || !property.Nullable))
                    {
                        current = property.DefaultValue?.DeepClone();
                        tree[name] = current;
                    }
                    Apply(current, property);
                }
                if (schema.Additional is { HasDefaults: true } additional)
                {
                    foreach (var (name, item) in tree)
                    {
                        if (!schema.Properties.ContainsKey(name))
                        {
                            Apply(item, additional);
                        }
                    }
                }
                break;
            case JsonArray list when schema.Items is { } items:
                foreach (var item in list)
                {
                    Apply(item, items);
                }
                break;
        }
    }
}
