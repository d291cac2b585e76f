using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>
/// The CustomResourceDefinitions that are part of the sandbox against the API types and the rules for structural schemas.
/// </summary>
/// <remarks>
/// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
/// </remarks>
public sealed class CrdFilesTests
{
    private const string Folder = "Crds/";

    private static readonly Dictionary<string, V1CustomResourceDefinition> Files = ReadFiles();

    /// <summary>GRPCRoutes share a type for filters with HTTPRoutes, but have fewer of them.</summary>
    private static readonly string[] OfHttpOnly =
    [
        "GRPCRoute.spec.rules[].filters[].requestRedirect",
        "GRPCRoute.spec.rules[].filters[].urlRewrite",
        "GRPCRoute.spec.rules[].backendRefs[].filters[].requestRedirect",
        "GRPCRoute.spec.rules[].backendRefs[].filters[].urlRewrite",
    ];

    private static readonly JsonNamingPolicy Naming = JsonNamingPolicy.CamelCase;

    public static TheoryData<string> FileNames => [.. Files.Keys.Order(StringComparer.Ordinal)];

    public static TheoryData<Type> ApiTypes =>
        [
            .. typeof(ApiObject)
                .Assembly.GetTypes()
                .Where(type => type.GetCustomAttribute<KubernetesEntityAttribute>() is not null)
                .OrderBy(type => type.FullName, StringComparer.Ordinal),
        ];

    [Fact]
    public void Sandbox_has_definitions_of_every_group_that_the_manager_writes() =>
        Files
            .Values.Select(crd => crd.Spec.Group)
            .Distinct()
            .Should()
            .BeEquivalentTo(ApiGroups.Kubelb, ApiGroups.GatewayApi, ApiGroups.EnvoyGateway, ApiGroups.Monitoring);

    [Theory]
    [MemberData(nameof(ApiTypes))]
    public void Every_API_type_has_a_definition(Type type)
    {
        var entity = type.GetCustomAttribute<KubernetesEntityAttribute>()!;

        var crd = Of(entity);

        crd.Spec.Names.Kind.Should().Be(entity.Kind);
        crd.Spec.Versions.Where(version => version.Served).Select(version => version.Name).Should().Contain(entity.ApiVersion);
    }

    [Theory]
    [MemberData(nameof(ApiTypes))]
    public void Fields_of_API_types_are_not_pruned(Type type)
    {
        var entity = type.GetCustomAttribute<KubernetesEntityAttribute>()!;
        var version = Of(entity).Spec.Versions.Single(version => version.Name == entity.ApiVersion);

        PrunedFields(type, version.Schema.OpenAPIV3Schema, entity.Kind).Except(OfHttpOnly).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(FileNames))]
    public void Definition_file_is_named_after_its_definition(string file)
    {
        var crd = Files[file];

        file.Should().Be($"{crd.Spec.Group}_{crd.Spec.Names.Plural}.yaml");
        crd.Metadata.Name.Should().Be($"{crd.Spec.Names.Plural}.{crd.Spec.Group}");
        crd.ApiVersion.Should().Be("apiextensions.k8s.io/v1");
        crd.Kind.Should().Be("CustomResourceDefinition");
        crd.Spec.Names.ListKind.Should().Be(crd.Spec.Names.Kind + "List");
        crd.Spec.Names.Singular.Should().Be(crd.Spec.Names.Kind.ToLowerInvariant());
        crd.Spec.Scope.Should().BeOneOf("Namespaced", "Cluster");
    }

    [Theory]
    [MemberData(nameof(FileNames))]
    public void Definition_has_one_served_storage_version(string file) =>
        Files[file].Spec.Versions.Where(version => version.Storage).Should().ContainSingle().Which.Served.Should().BeTrue();

    [Theory]
    [MemberData(nameof(FileNames))]
    public void Definition_schema_is_structural(string file)
    {
        foreach (var version in Files[file].Spec.Versions)
        {
            Offences(version.Schema.OpenAPIV3Schema, version.Name).Should().BeEmpty();
        }
    }

    [Theory]
    [InlineData(
        "gateway.networking.k8s.io_httproutes.yaml",
        "spec/rules",
        """[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]"""
    )]
    [InlineData("gateway.networking.k8s.io_httproutes.yaml", "spec/rules/[]/filters/[]/requestRedirect/statusCode", "302")]
    [InlineData(
        "gateway.networking.k8s.io_httproutes.yaml",
        "spec/rules/[]/backendRefs/[]/filters/[]/requestMirror/backendRef/kind",
        "\"Service\""
    )]
    [InlineData("gateway.networking.k8s.io_grpcroutes.yaml", "spec/rules/[]/backendRefs/[]/weight", "1")]
    [InlineData("gateway.networking.k8s.io_gateways.yaml", "spec/listeners/[]/allowedRoutes", """{"namespaces":{"from":"Same"}}""")]
    [InlineData("gateway.networking.k8s.io_gateways.yaml", "spec/listeners/[]/tls/certificateRefs/[]/group", "\"\"")]
    [InlineData(
        "gateway.networking.k8s.io_gatewayclasses.yaml",
        "status/conditions",
        """
            [{"type":"Accepted","status":"Unknown","reason":"Pending","message":"Waiting for controller",
              "lastTransitionTime":"1970-01-01T00:00:00Z"}]
            """
    )]
    [InlineData("kubelb.k8c.io_configs.yaml", "spec/envoyProxy/replicas", "3")]
    public void Schema_defaults_are_those_of_the_original(string file, string path, string expected)
    {
        JsonNode? schema = ApiJson.ToJson(Files[file].Spec.Versions.Single(version => version.Storage).Schema.OpenAPIV3Schema);
        foreach (var step in path.Split('/'))
        {
            schema = step == "[]" ? schema?["items"] : schema?["properties"]?[step];
        }

        JsonNode
            .DeepEquals(schema?["default"], JsonNode.Parse(expected))
            .Should()
            .BeTrue($"the default is {schema?["default"]?.ToJsonString()}");
    }

    private static V1CustomResourceDefinition Of(KubernetesEntityAttribute entity) =>
        Files.Should().ContainKey($"{entity.Group}_{entity.PluralName}.yaml").WhoseValue;

    /// <summary>Fields of an object that a server prunes because they are not in the schema.</summary>
    private static IEnumerable<string> PrunedFields(Type type, V1JSONSchemaProps schema, string path)
    {
        if (schema.XKubernetesPreserveUnknownFields == true && schema.Properties is null)
        {
            yield break;
        }
        if (ElementOf(type) is { } element)
        {
            var inner = AsSchema(typeof(IDictionary).IsAssignableFrom(type) ? schema.AdditionalProperties : schema.Items);
            foreach (var field in inner is null ? [path + ": elements"] : PrunedFields(element, inner, path + "[]"))
            {
                yield return field;
            }
        }
        else if (typeof(Extensible).IsAssignableFrom(type))
        {
            foreach (var property in type.GetProperties().Where(IsField))
            {
                var name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? Naming.ConvertName(property.Name);
                if (schema.Properties?.TryGetValue(name, out var known) == true)
                {
                    foreach (var field in PrunedFields(property.PropertyType, known, $"{path}.{name}"))
                    {
                        yield return field;
                    }
                }
                else if (schema.XKubernetesPreserveUnknownFields != true)
                {
                    yield return $"{path}.{name}";
                }
            }
        }
    }

    private static bool IsField(PropertyInfo property) =>
        property.CanWrite
        && property.GetCustomAttribute<JsonIgnoreAttribute>() is null
        && property.GetCustomAttribute<JsonExtensionDataAttribute>() is null;

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && typeof(ICollection).IsAssignableFrom(type) ? type.GetGenericArguments()[^1] : null;

    /// <summary>Violations of the rules for structural schemas: see the remarks of the class.</summary>
    private static IEnumerable<string> Offences(V1JSONSchemaProps schema, string path)
    {
        if (schema.Type is null && schema.XKubernetesIntOrString != true && schema.XKubernetesPreserveUnknownFields != true)
        {
            yield return $"{path} has no type";
        }
        if (schema.Properties is not null && schema.AdditionalProperties is not null)
        {
            yield return $"{path} has both properties and additionalProperties";
        }
        if (schema.Type == "array" && schema.Items is null)
        {
            yield return $"{path} has no items";
        }
        foreach (var required in schema.Required ?? [])
        {
            if (schema.Properties?.ContainsKey(required) != true)
            {
                yield return $"{path} requires {required}, which it does not describe";
            }
        }
        if (schema.XKubernetesListType == "map" && !KeysAreCertain(schema))
        {
            yield return $"{path} has list map keys that are neither required nor defaulted";
        }
        var children = (schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
            .Select(property => ($"{path}.{property.Key}", (V1JSONSchemaProps?)property.Value))
            .Append((path + "[]", AsSchema(schema.Items)))
            .Append((path + "{}", AsSchema(schema.AdditionalProperties)));
        foreach (var (childPath, child) in children)
        {
            foreach (var offence in child is null ? [] : Offences(child, childPath))
            {
                yield return offence;
            }
        }
    }

    private static bool KeysAreCertain(V1JSONSchemaProps list)
    {
        var items = AsSchema(list.Items);
        return list.XKubernetesListMapKeys is { Count: > 0 } keys
            && items is not null
            && keys.All(key =>
                items.Required?.Contains(key) == true
                || items.Properties?.TryGetValue(key, out var property) == true && property.DefaultProperty is not null
            );
    }

    /// <summary>
    /// <c>items</c> and <c>additionalProperties</c> are untyped in the client, as they may be a list or a boolean elsewhere.
    /// </summary>
    private static V1JSONSchemaProps? AsSchema(object? untyped) =>
        untyped is null ? null : KubernetesJson.Deserialize<V1JSONSchemaProps>(KubernetesJson.Serialize(untyped));

    private static Dictionary<string, V1CustomResourceDefinition> ReadFiles()
    {
        var assembly = Assembly.Load("kubelb-sandbox");
        var files = new Dictionary<string, V1CustomResourceDefinition>(StringComparer.Ordinal);
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            files.Add(resource[Folder.Length..], KubernetesYaml.Deserialize<V1CustomResourceDefinition>(reader.ReadToEnd()));
        }
        return files;
    }
}
