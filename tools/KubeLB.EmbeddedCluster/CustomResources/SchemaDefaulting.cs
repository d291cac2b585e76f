using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.CustomResources;

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
