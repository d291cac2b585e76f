using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The fields that are present in an object.</summary>
internal static class AppliedFields
{
    /// <summary>The fields that an applier owns because they are in the applied object.</summary>
    public static FieldSet Of(JsonObject tree, FieldShape shape)
    {
        var fields = new FieldSet();
        Collect(tree, shape, fields);
        return fields;
    }

    /// <summary>The set including the declared parents of its fields: a set of <c>spec.replicas</c> also contains <c>spec</c>.</summary>
    public static FieldSet WithDeclaredParents(FieldSet fields, FieldShape shape)
    {
        var result = new FieldSet { IsMember = fields.IsMember };
        foreach (var (element, child) in fields.Children)
        {
            var declared = false;
            var below = FieldElement.MemberName(element) is { } name
                ? shape.Member(name, out declared)
                : shape.Element ?? FieldShape.Deduced;
            var completed = WithDeclaredParents(child, below);
            completed.IsMember |= declared && completed.HasChildren;
            result.Attach(element, completed);
        }
        return result;
    }

    private static void Collect(JsonNode? value, FieldShape declared, FieldSet fields)
    {
        var shape = declared.For(value);
        switch (value)
        {
            case JsonObject tree when shape is { Form: ShapeForm.Map, IsAtomic: false }:
                foreach (var (name, item) in tree)
                {
                    var child = new FieldSet();
                    Collect(item, shape.Member(name, out var isDeclared), child);
                    child.IsMember |= !isDeclared || item is null or JsonObject { Count: 0 };
                    fields.Attach(FieldElement.Member(name), child);
                }
                break;
            case JsonArray list when shape is { Form: ShapeForm.List, IsAtomic: false } && ListItems.Index(shape, list) is { } items:
                foreach (var (element, same) in items)
                {
                    var child = new FieldSet { IsMember = true };
                    if (same.Count == 1)
                    {
                        Collect(same[0], shape.Element!, child);
                    }
                    fields.Attach(element, child);
                }
                break;
            case null when shape.Form is ShapeForm.Map or ShapeForm.List && !shape.IsAtomic:
                break;
            default:
                fields.IsMember = true;
                break;
        }
    }
}
