using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Reports an error for each value of an object that has CEL rules.</summary>
internal static class RuleRejection
{
    private const string Why =
        "the schema has CEL rules (x-kubernetes-validations) for this value; this embedded cluster does not evaluate them and "
        + "rejects the object (ValidationRules.Reject)";

    public static void Find(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (value is null || !schema.HasRules)
        {
            return;
        }
        if (schema.HasOwnRules)
        {
            errors.Add(FieldError.Forbidden(path.Length == 0 ? "<root>" : path, Why));
        }
        switch (value)
        {
            case JsonObject tree:
                foreach (var (name, item) in tree)
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { } member)
                    {
                        Find(item, member, path.Length == 0 ? name : $"{path}.{name}", errors);
                    }
                }
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    Find(list[i], items, $"{path}[{i}]", errors);
                }
                break;
        }
    }
}
