using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>Compares a desired object with the current one and computes the patch. Has no side effects.</summary>
internal sealed class ApplyPlan(
    DesiredObject desired,
    JsonObject current,
    string recordAnnotation,
    ApplyMode mode,
    IReadOnlyCollection<string>? wholeFields = null,
    IReadOnlyCollection<string>? skippedFields = null
)
{
    private static readonly string[] OwnerNames = ["apiVersion", "kind", "name"];

    private readonly AppliedRecord _record = AppliedRecord.Parse(
        (current["metadata"]?["annotations"] as JsonObject)?[recordAnnotation] is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : null
    );

    private JsonObject Metadata => current["metadata"] as JsonObject ?? [];

    /// <summary>A hash of the sections of the object that the applier owns.</summary>
    public string OwnedHash()
    {
        var sections = new JsonObject();
        foreach (var name in desired.Sections.Select(section => section.Key).Union(_record.Fields.Select(field => field.Key)))
        {
            sections[name] = current[name]?.DeepClone();
        }

        return JsonComparison.Hash(sections);
    }

    /// <summary>True if the last apply had the same desired content.</summary>
    public bool RecordMatches => _record.Hash == desired.Hash;

    /// <summary>True if the sections contain all desired fields and the whole fields are equal. Other fields are ignored.</summary>
    public bool SectionsContainDesired() =>
        JsonComparison.Contains(DesiredObject.SectionsOf(current), desired.Sections)
        && WholeFields.All(path => JsonComparison.AreEqual(At(current, path), At(desired.Sections, path)));

    private IReadOnlyCollection<string> WholeFields => wholeFields ?? [];

    // Skipped fields are neither applied nor removed; their entries in the record are kept.
    private IReadOnlyCollection<string> SkippedFields => skippedFields ?? [];

    /// <summary>True if labels, annotations, owner references and finalizers are up to date.</summary>
    public bool MetadataMatches() => MetadataPatch() is null;

    /// <summary>The merge patch from the current to the desired object, including the record.</summary>
    public JsonObject Patch()
    {
        var patch = new JsonObject();
        foreach (var (name, section) in desired.Sections)
        {
            if (TryDiff(current[name], section, _record.Fields[name], name, out var change))
            {
                patch[name] = change;
            }
        }

        foreach (var path in WholeFields.Where(path => At(current, path) is not null && At(desired.Sections, path) is null))
        {
            var steps = path.Split('.');
            steps[..^1].Aggregate(patch, Child)[steps[^1]] = null;
        }

        foreach (var (name, _) in _record.Fields)
        {
            if (!desired.Sections.ContainsKey(name) && current[name] is not null)
            {
                patch[name] = null;
            }
        }

        var metadata = MetadataPatch() ?? [];
        var record = Record();
        if ((Metadata["annotations"]?[recordAnnotation] as JsonValue)?.TryGetValue<string>(out var present) != true || present != record)
        {
            Child(metadata, "annotations")[recordAnnotation] = record;
        }

        if (metadata.Count > 0)
        {
            patch["metadata"] = metadata;
        }

        return patch;
    }

    private string Record()
    {
        var record = AppliedRecord.From(desired, mode);
        foreach (var path in SkippedFields)
        {
            record.CopyField(path, _record.Fields);
        }

        return record.ToAnnotation();
    }

    private JsonObject? MetadataPatch()
    {
        var patch = new JsonObject();
        PatchMap(patch, "labels", desired.Labels, _record.Labels);
        PatchMap(patch, "annotations", desired.Annotations, _record.Annotations);
        PatchList(patch, "ownerReferences", desired.OwnerReferences, node => node?["uid"]?.ToString(), IsReplacedOwner);
        if (Metadata["deletionTimestamp"] is null)
        {
            // The API server rejects new finalizers on an object that is being deleted.
            PatchList(patch, "finalizers", desired.Finalizers, node => node?.ToString());
        }

        return patch.Count == 0 ? null : patch;
    }

    private void PatchMap(JsonObject patch, string field, JsonObject target, IReadOnlyList<string> recordedKeys)
    {
        var present = Metadata[field] as JsonObject ?? [];
        foreach (var (key, value) in target)
        {
            if (!JsonNode.DeepEquals(present[key], value))
            {
                Child(patch, field)[key] = value?.DeepClone();
            }
        }

        foreach (var key in recordedKeys)
        {
            if (!target.ContainsKey(key) && present.ContainsKey(key))
            {
                Child(patch, field)[key] = null;
            }
        }
    }

    // An owner that was deleted and recreated has a new uid: without this check, the reference with the old uid would remain. A new
    // controller reference replaces the current one, because the API server rejects a second one.
    private static bool IsReplacedOwner(JsonNode? present, JsonNode? target) =>
        !JsonComparison.AreEqual(present?["uid"], target?["uid"])
        && (
            OwnerNames.All(field => JsonComparison.AreEqual(present?[field], target?[field]))
            || (IsController(present) && IsController(target))
        );

    private static bool IsController(JsonNode? owner) =>
        owner?["controller"] is JsonValue value && value.TryGetValue<bool>(out var isController) && isController;

    private void PatchList(
        JsonObject patch,
        string field,
        JsonArray target,
        Func<JsonNode?, string?> idOf,
        Func<JsonNode?, JsonNode?, bool>? isReplacedBy = null
    )
    {
        var present = Metadata[field] as JsonArray ?? [];
        var missing = target.Where(item => !present.Any(p => idOf(p) == idOf(item) && JsonComparison.Contains(p, item))).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        var kept = present.Where(p => missing.All(m => idOf(m) != idOf(p) && isReplacedBy?.Invoke(p, m) != true));
        patch[field] = new JsonArray([.. kept.Concat(missing).Select(item => item?.DeepClone())]);

        // A merge patch replaces the entire list. With the resourceVersion, the API server rejects the patch if another client has added an
        // entry.
        patch["resourceVersion"] = Metadata["resourceVersion"]?.DeepClone();
    }

    /// <returns>True if the node differs; <paramref name="change"/> is its part of the patch.</returns>
    private bool TryDiff(JsonNode? present, JsonNode? target, JsonNode? recorded, string path, out JsonNode? change)
    {
        if (present is JsonObject from && target is JsonObject to)
        {
            return TryDiffFields(from, to, recorded as JsonObject, path, out change);
        }

        change = target?.DeepClone();
        return mode == ApplyMode.Subset
            ? !JsonComparison.Contains(present, target) || AppliedRecord.IsListChanged(recorded, target)
            : !JsonComparison.AreEqual(present, target);
    }

    private bool TryDiffFields(JsonObject from, JsonObject to, JsonObject? recorded, string path, out JsonNode? change)
    {
        var patch = new JsonObject();
        var isWhole = mode == ApplyMode.Exclusive || WholeFields.Contains(path);
        foreach (var (name, target) in to)
        {
            if (TryDiff(from[name], target, recorded?[name], $"{path}.{name}", out var field))
            {
                patch[name] = field;
            }
        }

        foreach (var (name, present) in from)
        {
            if (
                present is not null
                && !to.ContainsKey(name)
                && !SkippedFields.Contains($"{path}.{name}")
                && (isWhole || recorded?.ContainsKey(name) == true)
            )
            {
                patch[name] = null;
            }
        }

        change = patch;
        return patch.Count > 0;
    }

    private static JsonNode? At(JsonObject root, string path) =>
        path.Split('.').Aggregate((JsonNode?)root, (node, step) => (node as JsonObject)?[step]);

    private static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject child)
        {
            parent[name] = child = [];
        }

        return child;
    }
}

/// <summary>The parts of a desired object that the applier owns: its top-level sections and its metadata.</summary>
internal sealed class DesiredObject
{
    private static readonly string[] NotSections = ["apiVersion", "kind", "metadata", "status"];

    private DesiredObject(JsonObject sections, JsonObject labels, JsonObject annotations, JsonArray owners, JsonArray finalizers)
    {
        Sections = sections;
        Labels = labels;
        Annotations = annotations;
        OwnerReferences = owners;
        Finalizers = finalizers;
        Hash = JsonComparison.Hash(
            new JsonObject
            {
                ["sections"] = sections.DeepClone(),
                ["labels"] = labels.DeepClone(),
                ["annotations"] = annotations.DeepClone(),
                ["owners"] = owners.DeepClone(),
                ["finalizers"] = finalizers.DeepClone(),
            },
            keepNulls: true
        );
    }

    public JsonObject Sections { get; }

    public JsonObject Labels { get; }

    public JsonObject Annotations { get; }

    public JsonArray OwnerReferences { get; }

    public JsonArray Finalizers { get; }

    /// <summary>A hash of the desired content.</summary>
    public string Hash { get; }

    /// <param name="obj">The desired object as JSON.</param>
    /// <param name="recordAnnotation">The annotation of the record, which is not part of the desired content.</param>
    public static DesiredObject From(JsonObject obj, string recordAnnotation)
    {
        var metadata = obj["metadata"] as JsonObject ?? [];
        var annotations = Map(metadata["annotations"]);
        annotations.Remove(recordAnnotation);
        return new(
            SectionsOf(obj),
            Map(metadata["labels"]),
            annotations,
            metadata["ownerReferences"]?.DeepClone() as JsonArray ?? [],
            metadata["finalizers"]?.DeepClone() as JsonArray ?? []
        );
    }

    /// <summary>A copy without some fields of its sections.</summary>
    /// <param name="paths">Paths such as <c>spec.template</c>.</param>
    public DesiredObject Without(IReadOnlyCollection<string> paths)
    {
        var sections = (JsonObject)Sections.DeepClone();
        foreach (var steps in paths.Select(path => path.Split('.')))
        {
            var parent = steps[..^1].Aggregate((JsonNode?)sections, (node, step) => (node as JsonObject)?[step]);
            (parent as JsonObject)?.Remove(steps[^1]);
        }

        return new(sections, Labels, Annotations, OwnerReferences, Finalizers);
    }

    /// <summary>All top-level fields except apiVersion, kind, metadata and status.</summary>
    public static JsonObject SectionsOf(JsonObject obj)
    {
        var sections = new JsonObject();
        foreach (var (name, value) in obj)
        {
            if (!NotSections.Contains(name, StringComparer.Ordinal))
            {
                sections[name] = value?.DeepClone();
            }
        }

        return sections;
    }

    /// <summary>The body of the create request: the owned fields and the record.</summary>
    public JsonObject ToCreate(JsonObject obj, string recordAnnotation, AppliedRecord record)
    {
        var from = obj["metadata"] as JsonObject ?? [];
        var metadata = new JsonObject { ["name"] = from["name"]?.DeepClone() };
        if (from["namespace"] is { } ns)
        {
            metadata["namespace"] = ns.DeepClone();
        }

        var annotations = (JsonObject)Annotations.DeepClone();
        annotations[recordAnnotation] = record.ToAnnotation();
        metadata["annotations"] = annotations;
        if (Labels.Count > 0)
        {
            metadata["labels"] = Labels.DeepClone();
        }

        if (OwnerReferences.Count > 0)
        {
            metadata["ownerReferences"] = OwnerReferences.DeepClone();
        }

        if (Finalizers.Count > 0)
        {
            metadata["finalizers"] = Finalizers.DeepClone();
        }

        var create = (JsonObject)Sections.DeepClone();
        create["metadata"] = metadata;
        return create;
    }

    private static JsonObject Map(JsonNode? node) => node?.DeepClone() as JsonObject ?? [];
}
