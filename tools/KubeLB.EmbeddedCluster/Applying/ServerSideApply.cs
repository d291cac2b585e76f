using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>Merges an applied object into the current one according to field ownership.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/server-side-apply/</remarks>
internal sealed class ServerSideApply(TimeProvider time)
{
    /// <summary>The manager that owns the fields in the annotation of client-side apply.</summary>
    private const string Kubectl = "kubectl";

    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>Returns the object after the apply, with updated managed fields.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="current">The current object in the version of the resource; null if it does not exist.</param>
    /// <param name="applied">The applied object.</param>
    /// <param name="options">The field manager and the subresource.</param>
    /// <param name="force">Whether to take ownership of conflicting fields.</param>
    /// <exception cref="ApiException">
    /// 400 if the applied object is invalid; 409 if another manager owns a field with a different value.
    /// </exception>
    public JsonObject Apply(ResourceDefinition resource, JsonObject? current, JsonObject applied, WriteOptions options, bool force)
    {
        var shape = FieldShapes.Of(resource);
        Check(resource, applied, shape);
        var before = current ?? new JsonObject { ["kind"] = resource.Kind, ["apiVersion"] = resource.ApiVersion };
        var managed = ManagedFields.FromMetadata(before.Object("metadata"));
        if (managed.IsEmpty && current is not null)
        {
            managed.Put(BeforeFirstApply(resource, current, shape));
        }
        var fields = AppliedFields.Of(applied, shape);
        var self = new ManagedEntry(
            options.Manager,
            ManagedEntry.Apply,
            resource.ApiVersion,
            options.Subresource,
            Timestamps.Now(time),
            fields
        );
        var merged = Merge(before, applied, managed, self, shape);
        var changes = FieldComparison
            .Of(before, merged, shape)
            .Only(element => FieldOwnership.Owns(resource, options.Subresource, element));
        var conflicts = Conflicts(managed, self, changes.Written);
        if (conflicts.Count > 0 && !force && !IsOwnedByAnnotation(resource, options, before, shape, ref conflicts))
        {
            throw ApplyConflict.Of(conflicts);
        }
        managed.Take(changes.Written.Union(changes.Removed), except: self);
        managed.Put(self with { Fields = FieldOwnership.Ownable(resource, self.Fields, options.Subresource) });
        var metadata = merged.Ensure("metadata");
        if (managed.IsEmpty)
        {
            metadata.Remove("managedFields");
        }
        else
        {
            metadata["managedFields"] = managed.ToJson();
        }
        UpdateAnnotation(options, merged, applied);
        return merged;
    }

    private static void Check(ResourceDefinition resource, JsonObject applied, FieldShape shape)
    {
        var version = applied.Text("apiVersion") ?? "";
        var kind = applied.Text("kind") ?? "";
        if (version != resource.ApiVersion || kind != resource.Kind)
        {
            var printed = version.Contains('/', StringComparison.Ordinal) || version.Length == 0 ? version : "/" + version;
            throw ApiErrors.BadRequest($"invalid object type: {(printed.Length == 0 ? "/" : printed)}, Kind={kind}");
        }
        if (applied["metadata"] is not (null or JsonObject))
        {
            throw ApiErrors.BadRequest("couldn't get accessor: object does not implement the Object interfaces");
        }
        if (applied.Object("metadata")?["managedFields"] is not null)
        {
            throw ApiErrors.BadRequest("metadata.managedFields must be nil");
        }
        if (AppliedValidation.Check(applied, shape) is { } problem)
        {
            var metadata = applied.Object("metadata");
            var name = metadata.Text("namespace") is { Length: > 0 } @namespace
                ? $"{@namespace}/{metadata.Text("name")}"
                : $"/{metadata.Text("name")}";
            throw ApiErrors.BadRequest($"failed to create typed patch object ({name}; {version}, Kind={kind}): {problem}");
        }
    }

    /// <summary>
    /// Assigns the existing fields to the manager <c>before-first-apply</c>, so that an apply that changes them is a conflict.
    /// </summary>
    private ManagedEntry BeforeFirstApply(ResourceDefinition resource, JsonObject current, FieldShape shape) =>
        new(
            ManagedEntry.BeforeFirstApply,
            ManagedEntry.Update,
            resource.ApiVersion,
            "",
            Timestamps.Now(time),
            FieldOwnership.Ownable(resource, FieldComparison.Of([], current, shape).Added, "")
        );

    /// <summary>The merged object without the fields that the applier no longer applies and no other manager owns.</summary>
    private static JsonObject Merge(JsonObject before, JsonObject applied, ManagedFields managed, ManagedEntry self, FieldShape shape)
    {
        var merged = TreeMerge.Merge(before, applied, shape);
        if (managed.Find(self) is not { } last)
        {
            return merged;
        }
        var kept = managed
            .Entries.Where(entry => !entry.SameManager(self))
            .Aggregate(self.Fields, (fields, entry) => fields.Union(entry.Fields));
        kept = AppliedFields.WithDeclaredParents(kept, shape).Insert(FieldElement.Member("metadata"));
        var gone = AppliedFields
            .WithDeclaredParents(last.Fields, shape)
            .Intersect(AppliedFields.WithDeclaredParents(AppliedFields.Of(merged, shape), shape))
            .Except(kept);
        return gone.IsEmpty ? merged : TreeMerge.Remove(merged, gone, shape);
    }

    private static List<FieldConflict> Conflicts(ManagedFields managed, ManagedEntry self, FieldSet written) =>
        [
            .. managed
                .Entries.Where(entry => !entry.SameManager(self))
                .SelectMany(entry => entry.Fields.Intersect(written).Paths().Select(path => new FieldConflict(entry, path))),
        ];

    /// <summary>
    /// Ignores conflicts on fields that kubectl applied with client-side apply. The remaining conflicts stay in
    /// <paramref name="conflicts"/>.
    /// </summary>
    private static bool IsOwnedByAnnotation(
        ResourceDefinition resource,
        WriteOptions options,
        JsonObject before,
        FieldShape shape,
        ref List<FieldConflict> conflicts
    )
    {
        if (options.Manager != Kubectl || before.Object("metadata").Object("annotations").Text(LastApplied) is not { Length: > 0 } text)
        {
            return false;
        }
        JsonObject last;
        try
        {
            last = JsonReading.ParseObject(System.Text.Encoding.UTF8.GetBytes(text));
        }
        catch (FormatException)
        {
            return false;
        }
        if (last.Text("apiVersion") != resource.ApiVersion || AppliedValidation.Check(last, shape) is not null)
        {
            return false;
        }
        var difference = FieldComparison.Of(last, before, shape);
        var own = AppliedFields.Of(last, shape).Except(difference.Written).Except(difference.Removed);
        conflicts = [.. conflicts.Where(conflict => !own.Contains(conflict.Path))];
        return conflicts.Count == 0;
    }

    private static void UpdateAnnotation(WriteOptions options, JsonObject merged, JsonObject applied)
    {
        if (
            options.Manager != Kubectl
            || merged.Object("metadata").Object("annotations") is not { } annotations
            || string.IsNullOrEmpty(annotations.Text(LastApplied))
        )
        {
            return;
        }
        var written = applied.Copy();
        written.Object("metadata").Object("annotations")?.Remove(LastApplied);
        annotations[LastApplied] = written.ToJsonString(JsonText.Options) + "\n";
    }
}

/// <summary>The conflict response for an apply that changes fields of other managers.</summary>
internal static class ApplyConflict
{
    public static ApiException Of(IReadOnlyList<FieldConflict> conflicts)
    {
        var causes = conflicts
            .Select(conflict => new FieldError(
                "FieldManagerConflict",
                FieldElement.Describe(conflict.Path),
                $"conflict with {conflict.Owner.Describe()}"
            ))
            .ToList();
        return new ApiException(new ApiStatus(409, "Conflict", Message(conflicts), new StatusDetails(Causes: causes)));
    }

    private static string Message(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts is [var only])
        {
            return $"Apply failed with 1 conflict: conflict with {only.Owner.Describe()}: {FieldElement.Describe(only.Path)}";
        }
        var lines = conflicts
            .GroupBy(conflict => conflict.Owner.Describe())
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .SelectMany(group =>
                group.Select(conflict => $"- {FieldElement.Describe(conflict.Path)}").Prepend($"conflicts with {group.Key}:")
            );
        return $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}";
    }
}

/// <summary>A field that another manager owns with another value.</summary>
internal sealed record FieldConflict(ManagedEntry Owner, IReadOnlyList<string> Path);
