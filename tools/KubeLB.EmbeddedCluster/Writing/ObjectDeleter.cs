using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Deletes objects, or marks them as terminating while they have finalizers.</summary>
internal sealed class ObjectDeleter(ClusterStore store, TimeProvider time)
{
    public const string OrphanFinalizer = "orphan";
    public const string ForegroundFinalizer = "foregroundDeletion";

    /// <exception cref="ApiException">404, or 409 for a failed precondition.</exception>
    public DeleteOutcome Delete(ResourceDefinition resource, string @namespace, string name, DeleteOptions options)
    {
        var table = store.Table(resource.StorageGroup, resource.Plural);
        while (true)
        {
            var existing = table.Find(@namespace, name) ?? throw ApiErrors.NotFound(resource.Group, resource.Plural, name);
            CheckPreconditions(resource, existing, options);
            if (TryDelete(resource, table, existing, options) is { } outcome)
            {
                return outcome;
            }
        }
    }

    private static void CheckPreconditions(ResourceDefinition resource, StoredObject existing, DeleteOptions options)
    {
        if (options.PreconditionUid is { } uid && uid != existing.Uid)
        {
            throw ApiErrors.Conflict(
                resource.Group,
                resource.Kind,
                existing.Name,
                $"the UID in the precondition ({uid}) does not match the UID in record ({existing.Uid}). The object might have been "
                    + "deleted and then recreated"
            );
        }
        if (options.PreconditionRevision is { } revision && revision != existing.Revision.ToString())
        {
            throw ApiErrors.Conflict(
                resource.Group,
                resource.Kind,
                existing.Name,
                $"the ResourceVersion in the precondition ({revision}) does not match the ResourceVersion in record "
                    + $"({existing.Revision}). The object might have been modified"
            );
        }
    }

    private DeleteOutcome? TryDelete(ResourceDefinition resource, ResourceTable table, StoredObject existing, DeleteOptions options)
    {
        var tree = existing.ToTree();
        var metadata = tree.Object("metadata")!;
        if (resource.Strategy.GracePeriod(tree, options.GracePeriodSeconds) is > 0 and var grace)
        {
            return TryBegin(table, tree, existing, grace, options.DryRun);
        }
        var finalizers = Finalizers(metadata, options.Propagation);
        var isNamespace = resource is { Group: "", Plural: "namespaces" };
        var held = finalizers.Count > 0 || (isNamespace && tree.Object("spec").Array("finalizers") is { Count: > 0 });
        if (!held)
        {
            if (options.DryRun)
            {
                return new DeleteOutcome(existing, true);
            }
            if (store.Remove(table, existing) is not { } removed)
            {
                return null;
            }
            resource.Strategy.Removed(tree);
            return new DeleteOutcome(removed, true);
        }
        if (!existing.Identity.IsTerminating)
        {
            metadata["deletionTimestamp"] = Timestamps.Now(time);
            if (isNamespace)
            {
                tree.Ensure("status")["phase"] = "Terminating";
            }
            if (metadata.Integer("generation") is > 0 and var generation)
            {
                metadata["generation"] = generation + 1;
            }
        }
        if (!isNamespace)
        {
            metadata["deletionGracePeriodSeconds"] = 0;
        }
        metadata["finalizers"] = new JsonArray([.. finalizers.Select(finalizer => JsonValue.Create(finalizer))]);
        var encoded = ObjectEncoder.Encode(tree, existing.Shape);
        if (encoded.SameContent(existing) || options.DryRun)
        {
            return new DeleteOutcome(existing, false);
        }
        return store.Replace(table, existing, encoded) is { } stored ? new DeleteOutcome(stored, false) : null;
    }

    /// <summary>Starts graceful deletion; the kubelet removes the object. A later delete can only shorten the grace period.</summary>
    private DeleteOutcome? TryBegin(ResourceTable table, JsonObject tree, StoredObject existing, long grace, bool dryRun)
    {
        var metadata = tree.Object("metadata")!;
        if (dryRun || (existing.Identity.IsTerminating && metadata.Integer("deletionGracePeriodSeconds") <= grace))
        {
            return new DeleteOutcome(existing, false);
        }
        metadata["deletionTimestamp"] = Timestamps.Format(time.GetUtcNow().AddSeconds(grace));
        metadata["deletionGracePeriodSeconds"] = grace;
        if (!existing.Identity.IsTerminating && metadata.Integer("generation") is > 0 and var generation)
        {
            metadata["generation"] = generation + 1;
        }
        return store.Replace(table, existing, ObjectEncoder.Encode(tree, existing.Shape)) is { } stored
            ? new DeleteOutcome(stored, false)
            : null;
    }

    private static List<string> Finalizers(JsonObject metadata, Propagation? propagation)
    {
        var finalizers = metadata.Array("finalizers").Strings().ToList();
        if (propagation is null)
        {
            return finalizers;
        }
        finalizers.RemoveAll(finalizer => finalizer is OrphanFinalizer or ForegroundFinalizer);
        if (propagation is Propagation.Orphan)
        {
            finalizers.Add(OrphanFinalizer);
        }
        else if (propagation is Propagation.Foreground)
        {
            finalizers.Add(ForegroundFinalizer);
        }
        return finalizers;
    }
}

/// <summary>Options of a delete.</summary>
internal sealed record DeleteOptions
{
    public Propagation? Propagation { get; init; }

    public string? PreconditionUid { get; init; }

    public string? PreconditionRevision { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Grace period in seconds of kinds with graceful deletion; null for that of the object.</summary>
    public long? GracePeriodSeconds { get; init; }
}

/// <summary>The result of a delete.</summary>
/// <param name="Object">The current or last state of the object.</param>
/// <param name="Gone">Whether it was removed; otherwise it is terminating.</param>
internal readonly record struct DeleteOutcome(StoredObject Object, bool Gone);

/// <summary>The propagation policy of a delete.</summary>
internal enum Propagation
{
    Background,
    Foreground,
    Orphan,
}
