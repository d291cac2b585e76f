using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>
/// The schemas of the definitions in <c>deploy/crds</c> and the types in <c>KubeLB.Api.V1Alpha1</c> have the same fields, with the same
/// types. The differences are listed here, each with its reason.
/// </summary>
public sealed class SchemaTypesTests
{
    private const string GoOnly = "read by the manager of the Go project only";
    private const string Reference = "part of every object reference in Kubernetes; only kind, name and namespace are used";
    private const string Tolerance = "the reader accepts an object without it, since a tenant may write around the schema";

    private static readonly IReadOnlyDictionary<string, DefinitionFile> Definitions = DefinitionFile.In(
        Path.Combine(SourceTree.Root, "deploy/crds")
    );

    /// <summary>Fields of a schema that no type has, by the end of their path.</summary>
    private static readonly Dictionary<string, string> OfSchemasOnly = new()
    {
        ["spec.loadBalancer"] = GoOnly,
        ["spec.ingress"] = GoOnly,
        ["spec.dns"] = GoOnly,
        ["spec.certificates"] = GoOnly,
        ["spec.endpoints[].ports"] = "of layer 4; a Gateway API route has the node ports of its Services",
        ["defaultGateway.apiVersion"] = Reference,
        ["defaultGateway.uid"] = Reference,
        ["defaultGateway.resourceVersion"] = Reference,
        ["defaultGateway.fieldPath"] = Reference,
        ["addressesReference.apiVersion"] = Reference,
        ["addressesReference.uid"] = Reference,
        ["addressesReference.resourceVersion"] = Reference,
        ["addressesReference.fieldPath"] = Reference,
    };

    /// <summary>Fields that are required in a schema and optional in a type, by the end of their path.</summary>
    private static readonly Dictionary<string, string> RequiredBySchemasOnly = new()
    {
        ["conditions[].lastTransitionTime"] = Tolerance,
        ["Route.spec.endpoints"] = Tolerance,
    };

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Type[] ApiTypes =
    [
        .. typeof(Route)
            .Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(Route).Namespace && type.GetCustomAttribute<KubernetesEntityAttribute>() is not null)
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    public static TheoryData<Type> Types => [.. ApiTypes];

    public static TheoryData<string> Kinds => [.. Definitions.Keys.Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_definition_except_layer_4_has_a_type() =>
        Definitions.Keys.Should().BeEquivalentTo(ApiTypes.Select(type => type.Name).Append("LoadBalancer"));

    [Theory]
    [MemberData(nameof(Types))]
    public void Schema_and_API_type_have_the_same_fields(Type type) =>
        Differences(type.Name, type, Definitions[type.Name].Schema)
            .Where(d => !OfSchemasOnly.Keys.Any(end => d.EndsWith($"{end}: no type has it", StringComparison.Ordinal)))
            .Where(d => !RequiredBySchemasOnly.Keys.Any(end => d.EndsWith($"{end}: required by the schema only", StringComparison.Ordinal)))
            .Should()
            .BeEmpty();

    [Fact]
    public void Every_listed_difference_exists()
    {
        var found = ApiTypes.SelectMany(type => Differences(type.Name, type, Definitions[type.Name].Schema)).ToList();

        OfSchemasOnly.Keys.Where(end => !found.Any(d => d.EndsWith($"{end}: no type has it", StringComparison.Ordinal))).Should().BeEmpty();
        RequiredBySchemasOnly
            .Keys.Where(end => !found.Any(d => d.EndsWith($"{end}: required by the schema only", StringComparison.Ordinal)))
            .Should()
            .BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_schema_field_has_a_unique_description(string kind)
    {
        var definition = Definitions[kind];

        definition.Schema["description"].Should().NotBeNull();
        foreach (var (path, schema) in Fields(definition))
        {
            var description = schema["description"]?.GetValue<string>();
            description.Should().NotBeNullOrEmpty($"{path} needs a description").And.EndWith(".", $"that of {path} is a sentence");
        }

        definition.Version["additionalPrinterColumns"]!.AsArray().Should().OnlyContain(column => column!["description"] != null);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_string_list_and_map_has_a_limit(string kind)
    {
        var unlimited = Definitions[kind]
            .Schemas()
            .Where(s =>
                s.Schema["type"]?.GetValue<string>() switch
                {
                    "string" => Lacks(s.Schema, "maxLength", "enum", "format", "default")
                        && !s.Path.EndsWith(".apiVersion")
                        && !s.Path.EndsWith(".kind"),
                    "array" => Lacks(s.Schema, "maxItems"),
                    "object" => s.Schema.ContainsKey("additionalProperties") && Lacks(s.Schema, "maxProperties"),
                    _ => false,
                }
            );

        unlimited.Select(s => s.Path).Should().BeEmpty();
    }

    private static bool Lacks(JsonObject schema, params string[] keywords) => !keywords.Any(schema.ContainsKey);

    // An API server rejects a definition that describes metadata.
    private static IEnumerable<(string Path, JsonObject Schema)> Fields(DefinitionFile definition) =>
        definition.Schemas().Where(s => DefinitionFile.IsField(s.Path) && s.Path != $"{definition.Kind}.metadata");

    private static IEnumerable<string> Differences(string path, Type type, JsonObject schema)
    {
        if (IsRaw(type))
        {
            return schema["x-kubernetes-preserve-unknown-fields"]?.GetValue<bool>() == true
                ? []
                : [$"{path}: the type is raw and the schema is not"];
        }

        if (ElementOf(type) is { } element)
        {
            var (keyword, end) = typeof(IDictionary).IsAssignableFrom(type) ? ("additionalProperties", "{}") : ("items", "[]");
            return schema[keyword] is JsonObject inner
                ? Differences(path + end, element, inner)
                : [$"{path}: the type is a collection and the schema is not"];
        }

        if (typeof(Extensible).IsAssignableFrom(type))
        {
            return schema["type"]?.GetValue<string>() == "object"
                ? FieldDifferences(path, type, schema)
                : [$"{path}: the type is an object and the schema is not"];
        }

        var expected = SchemaTypeOf(type);
        var actual = $"{schema["type"]} {schema["format"]}".Trim();
        return actual == expected || (expected == "string" && actual is "string date-time" or "string byte") || IsIntOrString(type, schema)
            ? []
            : [$"{path}: {type.Name} should be {expected} and is {actual}"];
    }

    private static List<string> FieldDifferences(string path, Type type, JsonObject schema)
    {
        var found = new List<string>();
        var properties = schema["properties"]?.AsObject() ?? [];
        var required = (schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>()).ToHashSet();
        var fields = type.GetProperties().Where(IsField).ToDictionary(NameOf);
        found.AddRange(properties.Select(p => p.Key).Except(fields.Keys).Select(name => $"{path}.{name}: no type has it"));
        foreach (var (name, field) in fields)
        {
            var isStandard = field.DeclaringType == typeof(ApiObject);
            if (properties[name] is not JsonObject property)
            {
                found.Add($"{path}.{name}: the schema lacks it");
                continue;
            }

            var isRequired = !isStandard && Nullability.Create(field).WriteState == NullabilityState.NotNull;
            if (required.Contains(name) != isRequired)
            {
                found.Add($"{path}.{name}: required by the {(isRequired ? "type" : "schema")} only");
            }

            found.AddRange(isStandard ? [] : Differences($"{path}.{name}", Underlying(field.PropertyType), property));
        }

        return found;
    }

    /// <summary>The spec of a Route is kept as JSON, so that a spec of any shape can be read.</summary>
    private static Type Underlying(Type type) =>
        type == typeof(RouteSpecJson) ? typeof(RouteSpec) : Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>Types whose content no schema of this project describes: objects of other groups, and Kubernetes' own types.</summary>
    private static bool IsRaw(Type type) => type == typeof(JsonObject) || type == typeof(JsonElement) || type == typeof(RouteService);

    private static bool IsIntOrString(Type type, JsonObject schema) =>
        (type == typeof(IntOrString) || type == typeof(ResourceQuantity)) && schema["x-kubernetes-int-or-string"]?.GetValue<bool>() == true;

    private static string SchemaTypeOf(Type type) =>
        type == typeof(string) ? "string"
        : type == typeof(bool) ? "boolean"
        : type == typeof(int) ? "integer int32"
        : type == typeof(long) ? "integer int64"
        : type == typeof(V1ResourceRequirements) ? "object"
        : type == typeof(IntOrString) ? "number or text"
        : throw new NotSupportedException($"What is {type.Name} in a schema?");

    private static bool IsField(PropertyInfo property) =>
        property.CanWrite
        && property.GetCustomAttribute<JsonIgnoreAttribute>() is null
        && property.GetCustomAttribute<JsonExtensionDataAttribute>() is null;

    private static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && typeof(ICollection).IsAssignableFrom(type) ? Underlying(type.GetGenericArguments()[^1]) : null;
}
