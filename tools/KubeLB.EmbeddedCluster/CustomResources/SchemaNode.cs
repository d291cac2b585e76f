using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>One node of a structural schema (the OpenAPI v3 subset of CustomResourceDefinitions), compiled once per definition.</summary>
internal sealed class SchemaNode
{
    public SchemaNode(JsonObject source)
    {
        Type = source.Text("type");
        Format = source.Text("format");
        Nullable = source.Boolean("nullable") ?? false;
        IntOrString = source.Boolean("x-kubernetes-int-or-string") ?? false;
        PreserveUnknown = source.Boolean("x-kubernetes-preserve-unknown-fields") ?? false;
        EmbeddedResource = source.Boolean("x-kubernetes-embedded-resource") ?? false;
        ListType = source.Text("x-kubernetes-list-type");
        ListMapKeys = [.. source.Array("x-kubernetes-list-map-keys").Strings()];
        MapType = source.Text("x-kubernetes-map-type");
        HasDefault = source.ContainsKey("default");
        DefaultValue = source["default"]?.DeepClone();
        Required = [.. source.Array("required").Strings()];
        Enum = source.Array("enum") is { } values ? [.. values.Select(value => value?.DeepClone())] : null;
        Pattern = source.Text("pattern");
        Matcher = Pattern is null ? null : Re2Pattern.Compile(Pattern);
        Minimum = source["minimum"].AsNumber();
        Maximum = source["maximum"].AsNumber();
        ExclusiveMinimum = source.Boolean("exclusiveMinimum") ?? false;
        ExclusiveMaximum = source.Boolean("exclusiveMaximum") ?? false;
        MultipleOf = source["multipleOf"].AsNumber();
        MinLength = source.Integer("minLength");
        MaxLength = source.Integer("maxLength");
        MinItems = source.Integer("minItems");
        MaxItems = source.Integer("maxItems");
        MinProperties = source.Integer("minProperties");
        MaxProperties = source.Integer("maxProperties");
        UniqueItems = source.Boolean("uniqueItems") ?? false;
        Properties = (source.Object("properties") ?? [])
            .Where(property => property.Value is JsonObject)
            .ToDictionary(property => property.Key, property => new SchemaNode((JsonObject)property.Value!), StringComparer.Ordinal);
        Items = source["items"] is JsonObject items ? new SchemaNode(items) : null;
        Additional = source["additionalProperties"] is JsonObject additional ? new SchemaNode(additional) : null;
        AllowsAdditional = Additional is not null || source.Boolean("additionalProperties") == true;
        AllOf = Many(source, "allOf");
        AnyOf = Many(source, "anyOf");
        OneOf = Many(source, "oneOf");
        Not = source["not"] is JsonObject not ? new SchemaNode(not) : null;
        Rules = [.. source.Array("x-kubernetes-validations").Objects().Select(rule => rule.Copy())];
        HasRules = Rules.Count > 0 || Children().Any(child => child.HasRules) || Combinations.Any(combination => combination.Part.HasRules);
        HasDefaults = HasDefault || Children().Any(child => child.HasDefaults);
    }

    public string? Type { get; }

    public string? Format { get; }

    public bool Nullable { get; }

    public bool IntOrString { get; }

    public bool PreserveUnknown { get; }

    public bool EmbeddedResource { get; }

    public string? ListType { get; }

    public IReadOnlyList<string> ListMapKeys { get; }

    public string? MapType { get; }

    public bool HasDefault { get; }

    public JsonNode? DefaultValue { get; }

    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<JsonNode?>? Enum { get; }

    public string? Pattern { get; }

    public Regex? Matcher { get; }

    public double? Minimum { get; }

    public double? Maximum { get; }

    public bool ExclusiveMinimum { get; }

    public bool ExclusiveMaximum { get; }

    public double? MultipleOf { get; }

    public long? MinLength { get; }

    public long? MaxLength { get; }

    public long? MinItems { get; }

    public long? MaxItems { get; }

    public long? MinProperties { get; }

    public long? MaxProperties { get; }

    public bool UniqueItems { get; }

    public IReadOnlyDictionary<string, SchemaNode> Properties { get; }

    public SchemaNode? Items { get; }

    /// <summary>Schema of members that are not in <see cref="Properties"/>.</summary>
    public SchemaNode? Additional { get; }

    /// <summary>Whether members that are not in <see cref="Properties"/> are allowed.</summary>
    public bool AllowsAdditional { get; }

    public IReadOnlyList<SchemaNode> AllOf { get; }

    public IReadOnlyList<SchemaNode> AnyOf { get; }

    public IReadOnlyList<SchemaNode> OneOf { get; }

    public SchemaNode? Not { get; }

    /// <summary>The <c>x-kubernetes-validations</c> of this node.</summary>
    public IReadOnlyList<JsonObject> Rules { get; }

    /// <summary>The schemas that the value must (not) satisfy in addition, by name of the member.</summary>
    public IEnumerable<(string Name, SchemaNode Part)> Combinations =>
        [
            .. AllOf.Select((part, index) => ($"allOf[{index}]", part)),
            .. AnyOf.Select((part, index) => ($"anyOf[{index}]", part)),
            .. OneOf.Select((part, index) => ($"oneOf[{index}]", part)),
            .. Not is null ? Array.Empty<(string, SchemaNode)>() : [("not", Not)],
        ];

    /// <summary>Whether this node or one below it has <c>x-kubernetes-validations</c>.</summary>
    public bool HasRules { get; }

    /// <summary>Whether this node or one below it has defaults.</summary>
    public bool HasDefaults { get; }

    private IEnumerable<SchemaNode> Children()
    {
        IEnumerable<SchemaNode> children = Properties.Values;
        if (Items is not null)
        {
            children = children.Append(Items);
        }
        return Additional is null ? children : children.Append(Additional);
    }

    private static SchemaNode[] Many(JsonObject source, string name) =>
        [.. source.Array(name).Objects().Select(item => new SchemaNode(item))];

    /// <summary>Whether the pattern is not a valid regular expression.</summary>
    public bool HasInvalidPattern => Pattern is not null && Matcher is null;

    /// <summary>The JSON type of a value as schema errors name it.</summary>
    public static string TypeName(JsonNode? value) =>
        value.Kind() switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => value.AsInteger() is null ? "number" : "integer",
            _ => "null",
        };
}

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
        if (schema.Text("pattern") is { } pattern && new SchemaNode(new JsonObject { ["pattern"] = pattern }).HasInvalidPattern)
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
