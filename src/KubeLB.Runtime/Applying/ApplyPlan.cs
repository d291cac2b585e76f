using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>Compares a desired object with the present one and computes the patch. Pure.</summary>
internal sealed class ApplyPlan(
    DesiredObject desired,
    JsonObject current,
    string recordAnnotation,
    ApplyMode mode,
    IReadOnlyCollection<string>? wholeFields = null,
    IReadOnlyCollection<string>? heldFields = null
)
{
    private static readonly string[] OwnerNames = ["apiVersion", "kind", "name"];

    private readonly AppliedRecord _before = AppliedRecord.Parse(
        (current["metadata"]?["annotations"] as JsonObject)?[recordAnnotation] is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : null
    );

    private JsonObject Metadata => current["metadata"] as JsonObject ?? [];

    /// <summary>Changes when anybody changes a part of the object that is ours.</summary>
    public string OwnedHash()
    {
        var sections = new JsonObject();
        foreach (var name in desired.Sections.Select(section => section.Key).Union(_before.Fields.Select(field => field.Key)))
        {
            sections[name] = current[name]?.DeepClone();
        }

        return CanonicalJson.Hash(sections);
    }

    /// <summary>True if everything desired is there and the record says that nothing else was ever set by us.</summary>
    public bool RecordMatches => _before.Hash == desired.Hash;

    /// <summary>True if the sections hold everything that is desired, whatever else they hold.</summary>
    public bool SectionsHoldDesired() =>
        JsonSubset.Contains(DesiredObject.SectionsOf(current), desired.Sections)
        && Whole.All(path => JsonScalars.Same(At(current, path), At(desired.Sections, path)));

    private IReadOnlyCollection<string> Whole => wholeFields ?? [];

    // Not desired, but not to be removed either; what the record says of them stays.
    private IReadOnlyCollection<string> Held => heldFields ?? [];

    /// <summary>True if labels, annotations, owners and finalizers are as desired.</summary>
    public bool MetadataMatches() => MetadataPatch() is null;

    /// <summary>The merge patch from what is to what is desired, the record included.</summary>
    public JsonObject Patch()
    {
        var patch = new JsonObject();
        foreach (var (name, wanted) in desired.Sections)
        {
            if (Change(current[name], wanted, _before.Fields[name], name, out var change))
            {
                patch[name] = change;
            }
        }

        foreach (var path in Whole.Where(path => At(current, path) is not null && At(desired.Sections, path) is null))
        {
            var steps = path.Split('.');
            steps[..^1].Aggregate(patch, Child)[steps[^1]] = null;
        }

        foreach (var (name, _) in _before.Fields)
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
        var record = AppliedRecord.Of(desired, mode);
        foreach (var path in Held)
        {
            record.Keep(path, _before.Fields);
        }

        return record.ToAnnotation();
    }

    private JsonObject? MetadataPatch()
    {
        var patch = new JsonObject();
        PatchMap(patch, "labels", desired.Labels, _before.Labels);
        PatchMap(patch, "annotations", desired.Annotations, _before.Annotations);
        PatchList(patch, "ownerReferences", desired.OwnerReferences, node => node?["uid"]?.ToString(), IsReplacedOwner);
        if (Metadata["deletionTimestamp"] is null)
        {
            // The API server refuses new finalizers on an object that is being deleted.
            PatchList(patch, "finalizers", desired.Finalizers, node => node?.ToString());
        }

        return patch.Count == 0 ? null : patch;
    }

    private void PatchMap(JsonObject patch, string field, JsonObject wanted, IReadOnlyList<string> setBefore)
    {
        var present = Metadata[field] as JsonObject ?? [];
        foreach (var (key, value) in wanted)
        {
            if (!JsonNode.DeepEquals(present[key], value))
            {
                Child(patch, field)[key] = value?.DeepClone();
            }
        }

        foreach (var key in setBefore)
        {
            if (!wanted.ContainsKey(key) && present.ContainsKey(key))
            {
                Child(patch, field)[key] = null;
            }
        }
    }

    // An owner of that name that was deleted and recreated: the reference to its former self would never be removed. And an object has one
    // controller at most: the API server rejects a second one.
    private static bool IsReplacedOwner(JsonNode? present, JsonNode? wanted) =>
        !JsonScalars.Same(present?["uid"], wanted?["uid"])
        && (OwnerNames.All(field => JsonScalars.Same(present?[field], wanted?[field])) || (IsController(present) && IsController(wanted)));

    private static bool IsController(JsonNode? owner) =>
        owner?["controller"] is JsonValue value && value.TryGetValue<bool>(out var isController) && isController;

    private void PatchList(
        JsonObject patch,
        string field,
        JsonArray wanted,
        Func<JsonNode?, string?> idOf,
        Func<JsonNode?, JsonNode?, bool>? isReplacedBy = null
    )
    {
        var present = Metadata[field] as JsonArray ?? [];
        var missing = wanted.Where(item => !present.Any(p => idOf(p) == idOf(item) && JsonSubset.Contains(p, item))).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        var kept = present.Where(p => missing.All(m => idOf(m) != idOf(p) && isReplacedBy?.Invoke(p, m) != true));
        patch[field] = new JsonArray([.. kept.Concat(missing).Select(item => item?.DeepClone())]);

        // A list is replaced whole: an entry that somebody adds at the same time must not be lost.
        patch["resourceVersion"] = Metadata["resourceVersion"]?.DeepClone();
    }

    /// <returns>True if there is something to change; <paramref name="change"/> is then what the patch says of this node.</returns>
    private bool Change(JsonNode? present, JsonNode? wanted, JsonNode? setBefore, string path, out JsonNode? change)
    {
        if (present is JsonObject from && wanted is JsonObject to)
        {
            return ChangeFields(from, to, setBefore as JsonObject, path, out change);
        }

        change = wanted?.DeepClone();
        return mode == ApplyMode.Subset
            ? !JsonSubset.Contains(present, wanted) || AppliedRecord.IsOtherList(setBefore, wanted)
            : !JsonScalars.Same(present, wanted);
    }

    private bool ChangeFields(JsonObject from, JsonObject to, JsonObject? setBefore, string path, out JsonNode? change)
    {
        var patch = new JsonObject();
        var isWhole = mode == ApplyMode.Exclusive || Whole.Contains(path);
        foreach (var (name, wanted) in to)
        {
            if (Change(from[name], wanted, setBefore?[name], $"{path}.{name}", out var field))
            {
                patch[name] = field;
            }
        }

        foreach (var (name, present) in from)
        {
            if (
                present is not null
                && !to.ContainsKey(name)
                && !Held.Contains($"{path}.{name}")
                && (isWhole || setBefore?.ContainsKey(name) == true)
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
