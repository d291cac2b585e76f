using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Updates objects and subresources, for update and patch.</summary>
internal sealed class ObjectUpdater(ClusterStore store, FieldOwnership ownership, ObjectWarnings? warnings)
{
    private const int MaxAttempts = 50;

    private static readonly string[] ServerOwned =
    [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "namespace",
        "name",
        "generateName",
        "generation",
    ];

    /// <param name="resource">The resource.</param>
    /// <param name="namespace">Empty for cluster-scoped resources.</param>
    /// <param name="name">The object's name.</param>
    /// <param name="subresource">Empty, <c>status</c> or <c>finalize</c>.</param>
    /// <param name="change">Returns the normalized new object for the current one; called again after a concurrent change.</param>
    /// <param name="options">The write options.</param>
    /// <exception cref="ApiException">The change is rejected.</exception>
    public StoredObject Update(
        ResourceDefinition resource,
        string @namespace,
        string name,
        string subresource,
        Func<JsonObject, JsonObject> change,
        WriteOptions options
    )
    {
        var table = store.Table(resource.StorageGroup, resource.Plural);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var existing = table.Find(@namespace, name) ?? throw ApiErrors.NotFound(resource.Group, resource.Plural, name);
            var tree = change(existing.ToTree());
            CheckPreconditions(resource, existing, tree);
            if (TryCommit(resource, table, existing, tree, subresource, options) is { } stored)
            {
                return stored;
            }
        }
        throw ApiErrors.Modified(resource.Group, resource.Plural, name);
    }

    private static void CheckPreconditions(ResourceDefinition resource, StoredObject existing, JsonObject tree)
    {
        var metadata = tree.Ensure("metadata");
        var revision = metadata.Text("resourceVersion") ?? "";
        if (revision.Length == 0 && !resource.Strategy.AllowsUnconditionalUpdate)
        {
            throw ApiErrors.Invalid(
                resource.Group,
                resource.Plural,
                existing.Name,
                [FieldError.Invalid("metadata.resourceVersion", 0, "must be specified for an update")]
            );
        }
        if (revision.Length > 0 && revision != existing.Revision.ToString())
        {
            throw ApiErrors.Modified(resource.Group, resource.Plural, existing.Name);
        }
        if (metadata.Text("uid") is { Length: > 0 } uid && uid != existing.Uid)
        {
            throw ApiErrors.Conflict(
                resource.Group,
                resource.Plural,
                existing.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {existing.Uid}"
            );
        }
    }

    private StoredObject? TryCommit(
        ResourceDefinition resource,
        ResourceTable table,
        StoredObject existing,
        JsonObject tree,
        string subresource,
        WriteOptions options
    )
    {
        var old = existing.ToTree();
        var oldMetadata = old.Object("metadata")!;
        var owners = options.IsApply ? tree.Object("metadata")?["managedFields"]?.DeepClone() : null;
        if (subresource == "status")
        {
            tree = WithStatus(resource, tree, old);
        }
        else if (resource.HasStatus && subresource.Length == 0)
        {
            tree.TakeFrom(old, "status");
        }
        var metadata = tree.Ensure("metadata");
        foreach (var name in ServerOwned)
        {
            metadata.TakeFrom(oldMetadata, name);
        }
        if (subresource.Length == 0)
        {
            resource.Strategy.PrepareForUpdate(tree, old);
        }
        resource.Strategy.Default(tree);
        if (resource.HasGeneration && subresource != "status" && resource.Strategy.RaisesGeneration(tree, old))
        {
            metadata["generation"] = (oldMetadata.Integer("generation") ?? 0) + 1;
        }
        if (options.IsApply)
        {
            metadata["managedFields"] = owners;
        }
        else
        {
            ownership.Track(resource, old, tree, options.Subresource.Length > 0 ? options.Subresource : subresource, options.Manager);
        }
        var errors = new List<FieldError>();
        MetadataValidation.Validate(metadata, resource, errors);
        MetadataValidation.ValidateUpdate(metadata, oldMetadata, errors);
        resource.Strategy.Validate(tree, errors);
        if (subresource.Length == 0)
        {
            resource.Strategy.ValidateUpdate(tree, old, errors);
        }
        resource.Strategy.ValidateRules(tree, old, errors, options.Warnings);
        var reservation = errors.Count == 0 && subresource.Length == 0 ? resource.Strategy.Allocate(tree, old, errors) : null;
        if (errors.Count > 0)
        {
            reservation?.Release();
            throw ApiErrors.Invalid(resource.Group, resource.Kind, existing.Name, errors);
        }
        StoredObject? stored = null;
        try
        {
            stored = Commit(resource, table, existing, old, tree, options);
            if (stored is not null && subresource.Length == 0)
            {
                options.Warnings.AddRange(warnings?.Invoke(resource.Kind, tree) ?? []);
            }
        }
        finally
        {
            if (stored is null || options.DryRun)
            {
                reservation?.Release();
            }
        }
        return stored;
    }

    private StoredObject? Commit(
        ResourceDefinition resource,
        ResourceTable table,
        StoredObject existing,
        JsonObject old,
        JsonObject tree,
        WriteOptions options
    )
    {
        var encoded = ObjectEncoder.Encode(tree, resource.Custom);
        if (encoded.SameContent(existing) || DiffersOnlyInTimes(resource, existing, old, tree))
        {
            return existing;
        }
        if (options.DryRun)
        {
            return encoded.At(existing.Revision);
        }
        if (IsReleased(tree, existing))
        {
            var removed = store.Remove(table, existing, encoded);
            if (removed is not null)
            {
                resource.Strategy.Removed(tree);
            }
            return removed;
        }
        var stored = store.Replace(table, existing, encoded);
        if (stored is not null)
        {
            resource.Strategy.Committed(tree);
        }
        return stored;
    }

    /// <summary>Whether only the times of managed fields entries changed, which is not a change.</summary>
    private static bool DiffersOnlyInTimes(ResourceDefinition resource, StoredObject existing, JsonObject old, JsonObject tree)
    {
        var metadata = tree.Object("metadata")!;
        var before = old.Object("metadata").Array("managedFields");
        if (!ManagedFields.EqualIgnoringTimes(before, metadata.Array("managedFields")))
        {
            return false;
        }
        var current = metadata["managedFields"];
        metadata["managedFields"] = before!.DeepClone();
        var isSame = ObjectEncoder.Encode(tree, resource.Custom).SameContent(existing);
        metadata["managedFields"] = current;
        return isSame;
    }

    /// <summary>Whether the object is terminating without finalizers.</summary>
    private static bool IsReleased(JsonObject tree, StoredObject existing) =>
        existing.Identity.IsTerminating
        && tree.Object("metadata").Integer("deletionGracePeriodSeconds") is null or 0
        && tree.Object("metadata").Array("finalizers") is null or { Count: 0 }
        && tree.Object("spec").Array("finalizers") is null or { Count: 0 };

    /// <summary>The old object with the new status; for built-in kinds also with the new labels and annotations.</summary>
    private static JsonObject WithStatus(ResourceDefinition resource, JsonObject tree, JsonObject old)
    {
        var result = old.Copy();
        result.TakeFrom(tree, "status");
        if (resource.Custom is null)
        {
            result["metadata"] = tree.Object("metadata")?.DeepClone() ?? new JsonObject();
            result.Object("metadata")!.TakeFrom(old.Object("metadata"), "ownerReferences");
        }
        return result;
    }
}
