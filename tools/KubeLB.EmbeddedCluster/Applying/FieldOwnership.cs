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
            sent is { Count: > 0 } && ManagedFields.TryParse(sent) is { } given ? given : ManagedFields.OfStored(old.Object("metadata"));
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
