using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Discovery;

/// <summary>Writes the OpenAPI v3 document of one API version.</summary>
internal sealed class OpenApiWriter(string group, string version)
{
    private const string MetaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    private const string StrategicPatch = "application/strategic-merge-patch+json";
    private static readonly string[] PatchTypes =
    [
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        StrategicPatch,
    ];
    private static readonly string[] MetaTypes =
    [
        "ObjectMeta",
        "OwnerReference",
        "ManagedFieldsEntry",
        "LabelSelector",
        "LabelSelectorRequirement",
        "Condition",
    ];

    private readonly JsonObject _schemas = [];
    private readonly JsonObject _paths = [];

    public JsonObject Write(IReadOnlyList<ResourceDefinition> resources)
    {
        foreach (var resource in resources)
        {
            var name = resource.Type is { } type ? AddType(type) : AddCustom(resource);
            _schemas.Object(name)!["x-kubernetes-group-version-kind"] = new JsonArray(Kind(resource));
            AddPaths(resource, name);
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.35.0" },
            ["paths"] = _paths,
            ["components"] = new JsonObject { ["schemas"] = _schemas },
        };
    }

    private static JsonObject Kind(ResourceDefinition resource) =>
        new()
        {
            ["group"] = resource.Group,
            ["version"] = resource.Version,
            ["kind"] = resource.Kind,
        };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    private string AddCustom(ResourceDefinition resource)
    {
        var name = string.Join('.', resource.Group.Split('.').Reverse()) + $".{resource.Version}.{resource.Kind}";
        var schema =
            resource.Custom!.Source?.Copy() ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        var properties = schema.Ensure("properties");
        var texts = new Dictionary<string, string>
        {
            ["apiVersion"] = "The API group and version of the object.",
            ["kind"] = "The kind of the object. Immutable.",
        };
        foreach (var (member, description) in texts)
        {
            properties[member] = new JsonObject { ["type"] = "string", ["description"] = description };
        }
        properties["metadata"] = new JsonObject
        {
            ["description"] = "Standard object metadata: name, namespace, labels, annotations.",
            ["allOf"] = new JsonArray(Reference(AddType(TypeSchema.Of(typeof(V1ObjectMeta))))),
        };
        _schemas[name] = schema;
        return name;
    }

    private string AddType(TypeSchema type)
    {
        var name = MetaTypes.Contains(type.GoName)
            ? MetaPrefix + type.GoName
            : $"io.k8s.api.{(group.Length == 0 ? "core" : group.Split('.')[0])}.{version}.{type.GoName}";
        if (_schemas.ContainsKey(name))
        {
            return name;
        }
        var properties = new JsonObject();
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (ListTypes.IsAtomic(type.GoName))
        {
            schema["x-kubernetes-map-type"] = "atomic";
        }
        _schemas[name] = schema;
        foreach (var member in type.Members.Values.OrderBy(member => member.Name, StringComparer.Ordinal))
        {
            var property = Property(member.Type);
            if (member.Merge is { } rule)
            {
                if (rule.Key.Length > 0)
                {
                    property["x-kubernetes-patch-merge-key"] = rule.Key;
                }
                property["x-kubernetes-patch-strategy"] = (
                    rule.RetainKeys,
                    rule.Key.Length > 0 || member.Type.Form == ValueForm.List
                ) switch
                {
                    (true, true) => "merge,retainKeys",
                    (true, false) => "retainKeys",
                    _ => "merge",
                };
            }
            AddListType(type, member, property);
            properties[member.Name] = property;
        }
        return name;
    }

    /// <summary>How server-side apply merges a list or map.</summary>
    private static void AddListType(TypeSchema owner, TypeMember member, JsonObject property)
    {
        if (member.Type.Form == ValueForm.Map && ListTypes.IsAtomic(owner.GoName, member.Name))
        {
            property["x-kubernetes-map-type"] = "atomic";
        }
        if (member.Type.Form != ValueForm.List)
        {
            return;
        }
        var list = ListTypes.For(owner.GoName, member);
        property["x-kubernetes-list-type"] = list switch
        {
            null => "atomic",
            { Keys.Count: 0 } => "set",
            _ => "map",
        };
        if (list is { Keys.Count: > 0 })
        {
            property["x-kubernetes-list-map-keys"] = new JsonArray([.. list.Keys.Select(key => JsonValue.Create(key))]);
        }
    }

    private JsonObject Property(TypeSchema type) =>
        type.Form switch
        {
            ValueForm.Object => new JsonObject { ["allOf"] = new JsonArray(Reference(AddType(type))), ["default"] = new JsonObject() },
            ValueForm.List => new JsonObject { ["type"] = "array", ["items"] = Property(type.Element!) },
            ValueForm.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Property(type.Element!) },
            ValueForm.Integer => new JsonObject { ["type"] = "integer", ["format"] = type.GoType },
            ValueForm.Number => new JsonObject { ["type"] = "number", ["format"] = "double" },
            ValueForm.Boolean => new JsonObject { ["type"] = "boolean" },
            ValueForm.Bytes => new JsonObject { ["type"] = "string", ["format"] = "byte" },
            ValueForm.Time or ValueForm.MicroTime => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            ValueForm.IntOrString => new JsonObject
            {
                ["format"] = "int-or-string",
                ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }),
            },
            ValueForm.Any => new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
            _ => new JsonObject { ["type"] = "string" },
        };

    private void AddPaths(ResourceDefinition resource, string schema)
    {
        var root = group.Length == 0 ? $"/api/{version}" : $"/apis/{group}/{version}";
        var collection = resource.Namespaced ? $"{root}/namespaces/{{namespace}}/{resource.Plural}" : $"{root}/{resource.Plural}";
        var all = new JsonObject();
        if (resource.Verbs.Contains("list"))
        {
            all["get"] = Operation(resource, schema, "list", null);
        }
        if (resource.Verbs.Contains("create"))
        {
            all["post"] = Operation(resource, schema, "post", "application/json");
        }
        _paths[collection] = all;
        if (!resource.Verbs.Contains("get"))
        {
            return;
        }
        _paths[$"{collection}/{{name}}"] = new JsonObject
        {
            ["get"] = Operation(resource, schema, "get", null),
            ["put"] = Operation(resource, schema, "put", "application/json"),
            ["patch"] = Patch(resource, schema),
            ["delete"] = Operation(resource, schema, "delete", null),
        };
    }

    private static JsonObject Patch(ResourceDefinition resource, string schema)
    {
        var operation = Operation(resource, schema, "patch", null);
        operation.Array("parameters")!.Add(Parameter("force", "boolean"));
        var content = new JsonObject();
        foreach (var type in PatchTypes.Where(type => resource.Custom is null || type != StrategicPatch))
        {
            content[type] = new JsonObject { ["schema"] = Reference(schema) };
        }
        operation["requestBody"] = new JsonObject { ["content"] = content };
        return operation;
    }

    private static JsonObject Operation(ResourceDefinition resource, string schema, string action, string? body)
    {
        var operation = new JsonObject
        {
            ["tags"] = new JsonArray(resource.Group.Length == 0 ? "core_v1" : resource.Group.Replace('.', '_') + "_" + resource.Version),
            ["operationId"] = $"{action}{resource.Kind}",
            ["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldManager"), Parameter("fieldValidation")),
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject
                {
                    ["description"] = "OK",
                    ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(schema) } },
                },
            },
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = Kind(resource),
        };
        if (body is not null)
        {
            operation["requestBody"] = new JsonObject
            {
                ["content"] = new JsonObject { [body] = new JsonObject { ["schema"] = Reference(schema) } },
            };
        }
        return operation;
    }

    private static JsonObject Parameter(string name, string type = "string") =>
        new()
        {
            ["name"] = name,
            ["in"] = "query",
            ["schema"] = new JsonObject { ["type"] = type, ["uniqueItems"] = true },
        };
}
