using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>The parts of a desired object that are ours: its top-level sections and what it carries in metadata.</summary>
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
        Hash = CanonicalJson.Hash(
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

    /// <summary>The same for the same desired content.</summary>
    public string Hash { get; }

    /// <param name="obj">The desired object as JSON.</param>
    /// <param name="recordAnnotation">Our own annotation, which is never part of what is desired.</param>
    public static DesiredObject Of(JsonObject obj, string recordAnnotation)
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

    /// <summary>The same without some fields of its sections.</summary>
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

    /// <summary>All top-level fields but apiVersion, kind, metadata and status.</summary>
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

    /// <summary>What to send to create the object: nothing but what is ours, and the record.</summary>
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
