using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Validates that a schema is structural (KEP-1979).</summary>
internal static class StructuralSchema
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];

    public static void Validate(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema.Text("type") != "object")
        {
            errors.Add(
                schema["type"] is null
                    ? FieldError.Required($"{path}.type", "must not be empty at the root")
                    : FieldError.Invalid($"{path}.type", schema["type"], "must be object at the root")
            );
        }
        Walk(schema, path, isRoot: true, errors);
    }

    private static void Walk(JsonObject schema, string path, bool isRoot, List<FieldError> errors)
    {
        var type = schema.Text("type") ?? "";
        var free = schema.Boolean("x-kubernetes-int-or-string") == true || schema.Boolean("x-kubernetes-preserve-unknown-fields") == true;
        if (type.Length == 0 && !free && !isRoot)
        {
            errors.Add(FieldError.Required($"{path}.type", "must not be empty for specified object fields"));
        }
        else if (type.Length > 0 && !Types.Contains(type))
        {
            errors.Add(FieldError.NotSupported($"{path}.type", type, Types));
        }
        if (type == "array" && schema.Object("items") is null)
        {
            errors.Add(FieldError.Required($"{path}.items", "must be specified"));
        }
        if (schema.Text("pattern") is { } pattern && new SchemaNode(new JsonObject { ["pattern"] = pattern }).PatternIsBroken)
        {
            errors.Add(FieldError.Invalid($"{path}.pattern", pattern, "must be a valid regular expression"));
        }
        if (schema.Object("properties") is { } properties)
        {
            if (schema["additionalProperties"] is JsonObject && properties.Count > 0)
            {
                errors.Add(
                    FieldError.Forbidden($"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
                );
            }
            foreach (var (name, property) in properties)
            {
                if (property is JsonObject child && !(isRoot && name is ("metadata" or "apiVersion" or "kind")))
                {
                    Walk(child, $"{path}.properties[{name}]", false, errors);
                }
            }
        }
        if (schema["items"] is JsonObject items)
        {
            Walk(items, $"{path}.items", false, errors);
        }
        if (schema["additionalProperties"] is JsonObject additional)
        {
            Walk(additional, $"{path}.additionalProperties", false, errors);
        }
    }
}
