using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>
/// Maintains <c>metadata.managedFields</c> of objects that have been applied: a later create, update or patch owns the fields that it
/// writes. An object that was never applied has no managed fields.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/server-side-apply/</remarks>
internal sealed class FieldOwnership(TimeProvider time)
{
    private static readonly FieldSet Unowned = Metadata("apiVersion", "kind")
        .Union(
            Metadata(
                "metadata",
                "metadata.name",
                "metadata.namespace",
                "metadata.creationTimestamp",
                "metadata.deletionTimestamp",
                "metadata.deletionGracePeriodSeconds",
                "metadata.selfLink",
                "metadata.uid",
                "metadata.generation",
                "metadata.managedFields",
                "metadata.resourceVersion"
            )
        );

    /// <summary>Updates the managed fields of an object after a write.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="old">The object before; null when it is created.</param>
    /// <param name="tree">The object as it will be stored.</param>
    /// <param name="subresource">The subresource of the write; empty for the object itself.</param>
    /// <param name="manager">The field manager.</param>
    public void Track(ResourceDefinition resource, JsonObject? old, JsonObject tree, string subresource, string manager)
    {
        var metadata = tree.Ensure("metadata");
        var stored = old.Object("metadata").Array("managedFields");
        var sent = subresource.Length == 0 ? metadata.Array("managedFields") : stored;
        if (ManagedFields.IsReset(sent) || (sent is null or { Count: 0 } && stored is null))
        {
            metadata.Remove("managedFields");
            return;
        }
        var managed =
            sent is { Count: > 0 } && ManagedFields.TryParse(sent) is { } given
                ? given
                : ManagedFields.FromMetadata(old.Object("metadata"));
        if (managed.IsEmpty)
        {
            metadata.Remove("managedFields");
            return;
        }
        var changes = Compare(resource, old ?? [], tree, subresource);
        managed.Take(changes.Written.Union(changes.Removed), except: null);
        var fields = changes.Written.Except(changes.Removed).Except(Unowned);
        if (!fields.IsEmpty)
        {
            var entry = new ManagedEntry(manager, ManagedEntry.Update, resource.ApiVersion, subresource, Timestamps.Now(time), fields);
            managed.Put(managed.Find(entry) is { } known ? entry with { Fields = known.Fields.Union(fields) } : entry);
            managed.Cap();
        }
        metadata["managedFields"] = managed.ToJson();
    }

    /// <summary>Whether server-side apply can own a field through a subresource; other fields are reset before the write.</summary>
    internal static bool Owns(ResourceDefinition resource, string subresource, string element) =>
        subresource switch
        {
            "" => element != "f:status" || !resource.HasStatus,
            "status" => element == "f:status" || (resource.Custom is null && element == "f:metadata"),
            _ => true,
        };

    internal static FieldComparison Compare(ResourceDefinition resource, JsonObject old, JsonObject tree, string subresource)
    {
        var view = resource.View;
        var comparison = view is null
            ? FieldComparison.Of(old, tree, FieldShapes.Of(resource))
            : FieldComparison.Of(view.FromStorage(old), view.FromStorage(tree), FieldShapes.Of(resource));
        return comparison.Only(element => Owns(resource, subresource, element));
    }

    /// <summary>The fields of a set that can have an owner.</summary>
    internal static FieldSet Ownable(ResourceDefinition resource, FieldSet fields, string subresource) =>
        fields.Only(element => Owns(resource, subresource, element)).Except(Unowned);

    private static FieldSet Metadata(params IEnumerable<string> paths)
    {
        var fields = new FieldSet();
        foreach (var path in paths)
        {
            fields.Insert(path.Split('.').Select(FieldElement.Member));
        }
        return fields;
    }
}

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
