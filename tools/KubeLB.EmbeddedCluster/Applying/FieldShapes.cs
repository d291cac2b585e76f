using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>Reads the shapes of resources from the types of built-in kinds and the schemas of custom ones.</summary>
internal static class FieldShapes
{
    private static readonly ConcurrentDictionary<TypeSchema, FieldShape> Types = new();
    private static readonly ConditionalWeakTable<CustomVersion, FieldShape> Customs = [];
    private static readonly FieldShape Text = FieldShape.Scalar(JsonValueKind.String);
    private static readonly FieldShape Number = FieldShape.Scalar(JsonValueKind.Number);
    private static readonly FieldShape Boolean = FieldShape.Scalar(JsonValueKind.True, JsonValueKind.False);

    private static FieldShape Metadata => Of(TypeSchema.Of(typeof(V1ObjectMeta)));

    public static FieldShape Of(ResourceDefinition resource) =>
        resource.Type is { } type ? Of(type)
        : resource.Custom is { } version ? Customs.GetValue(version, ForCustomResource)
        : FieldShape.Deduced;

    private static FieldShape Of(TypeSchema type) =>
        Types.GetOrAdd(
            type,
            key =>
                FieldShape.Map(
                    () => key.Members.Values.ToDictionary(member => member.Name, member => ForMember(key, member), StringComparer.Ordinal),
                    element: null,
                    ListTypes.IsAtomic(key.GoName),
                    implied: true
                )
        );

    private static FieldShape ForMember(TypeSchema owner, TypeMember member)
    {
        var type = member.Type;
        switch (type.Form)
        {
            case ValueForm.List when ListTypes.For(owner.GoName, member) is { } list:
                return list.Keys.Count == 0
                    ? FieldShape.Set(() => ForValue(type.Element!))
                    : FieldShape.KeyedList(() => ForValue(type.Element!), list.Keys, list.Defaults);
            case ValueForm.Map when ListTypes.IsAtomic(owner.GoName, member.Name):
                return FieldShape.Map(null, () => ForValue(type.Element!), atomic: true);
            default:
                return ForValue(type);
        }
    }

    private static FieldShape ForValue(TypeSchema type) =>
        type.Form switch
        {
            ValueForm.Object => Of(type),
            ValueForm.List => FieldShape.AtomicList(() => ForValue(type.Element!)),
            ValueForm.Map => FieldShape.Map(null, () => ForValue(type.Element!), atomic: false),
            ValueForm.Text or ValueForm.Bytes => Text,
            ValueForm.Integer or ValueForm.Number => Number,
            ValueForm.Boolean => Boolean,
            ValueForm.Any => FieldShape.Deduced,
            _ => FieldShape.Scalar(),
        };

    private static FieldShape ForCustomResource(CustomVersion version)
    {
        if (version.Schema is not { } schema)
        {
            return FieldShape.Map(ResourceMembers, () => FieldShape.Deduced, atomic: false);
        }
        return Of(schema, isResource: true);
    }

    private static Dictionary<string, FieldShape> ResourceMembers() =>
        new(StringComparer.Ordinal)
        {
            ["apiVersion"] = Text,
            ["kind"] = Text,
            ["metadata"] = Metadata,
        };

    private static FieldShape Of(SchemaNode schema, bool isResource = false)
    {
        if (schema.IntOrString)
        {
            return FieldShape.Scalar();
        }
        switch (schema.Type)
        {
            case "object":
                return ForObject(schema, isResource || schema.EmbeddedResource);
            case "array":
                Func<FieldShape?> element = () => schema.Items is { } items ? Of(items) : FieldShape.Deduced;
                return schema.ListType switch
                {
                    "set" => FieldShape.Set(element),
                    "map" => FieldShape.KeyedList(element, schema.ListMapKeys, Defaults(schema)),
                    _ => FieldShape.AtomicList(element),
                };
            case "string":
                return Text;
            case "integer" or "number":
                return Number;
            case "boolean":
                return Boolean;
            default:
                return isResource || schema.Properties.Count > 0 ? ForObject(schema, isResource) : FieldShape.Deduced;
        }
    }

    private static FieldShape ForObject(SchemaNode schema, bool isResource) =>
        FieldShape.Map(
            () =>
            {
                var members = schema.Properties.ToDictionary(
                    property => property.Key,
                    property => Of(property.Value),
                    StringComparer.Ordinal
                );
                foreach (var (name, shape) in isResource ? ResourceMembers() : [])
                {
                    members[name] = shape;
                }
                return members;
            },
            schema.Additional is { } additional ? () => Of(additional)
                : schema.AllowsAdditional || schema.PreserveUnknown ? () => FieldShape.Deduced
                : null,
            atomic: schema.MapType == "atomic"
        );

    private static Dictionary<string, JsonNode> Defaults(SchemaNode list)
    {
        var defaults = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var key in list.ListMapKeys)
        {
            if (list.Items is { } items && items.Properties.TryGetValue(key, out var property) && property.DefaultValue is { } value)
            {
                defaults[key] = value;
            }
        }
        return defaults;
    }
}
