using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Tables;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>A resource in one API version. Immutable; custom resources are replaced when their definition changes.</summary>
internal sealed record ResourceDefinition
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Plural { get; init; }

    public required string Singular { get; init; }

    public required string Kind { get; init; }

    public string ListKind
    {
        get => field ?? Kind + "List";
        init;
    }

    public bool Namespaced { get; init; } = true;

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public IReadOnlyList<string> Verbs { get; init; } = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public IReadOnlyList<SubresourceDefinition> Subresources { get; init; } = [];

    /// <summary>Group of the storage table; differs from <see cref="Group"/> for events.k8s.io.</summary>
    public string StorageGroup
    {
        get => field ?? Group;
        init;
    }

    /// <summary>The storage version, for the storageVersionHash.</summary>
    public string StorageVersion
    {
        get => field ?? Version;
        init;
    }

    /// <summary>Whether changes of the spec increment metadata.generation.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>Whether a delete returns the object instead of a Status.</summary>
    public bool ReturnsDeleted { get; init; }

    /// <summary>Schema of a built-in type.</summary>
    public TypeSchema? Type { get; init; }

    /// <summary>Schema and options of a custom resource.</summary>
    public CustomVersion? Custom { get; init; }

    public required ResourceStrategy Strategy { get; init; }

    public required ITableFormat Table { get; init; }

    /// <summary>Conversion from and to the stored form, if it is that of another group.</summary>
    public ResourceView? View { get; init; }

    /// <summary>Selectable fields in addition to name and namespace.</summary>
    public IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; init; } =
        new Dictionary<string, Func<JsonObject, string>>();

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Qualified name: <c>widgets.example.com</c>.</summary>
    public string QualifiedResource => Errors.ApiErrors.Qualified(Plural, Group);

    public bool HasStatus => Subresource("status") is not null;

    public SubresourceDefinition? Subresource(string name) => Subresources.FirstOrDefault(subresource => subresource.Name == name);

    /// <summary>Value of a selectable field of an object.</summary>
    public string SelectableValue(JsonObject tree, string field) =>
        field switch
        {
            "metadata.name" => tree.Object("metadata").Text("name") ?? "",
            "metadata.namespace" => tree.Object("metadata").Text("namespace") ?? "",
            _ => SelectableFields.TryGetValue(field, out var read) ? read(tree) : "",
        };
}

/// <summary>A subresource, e.g. <c>status</c> or <c>scale</c>.</summary>
internal sealed record SubresourceDefinition(string Name, string Kind, string[] Verbs, string Group = "", string Version = "");

/// <summary>Converts objects of another API group from and to their stored form.</summary>
internal sealed record ResourceView(Func<JsonObject, JsonObject> FromStorage, Func<JsonObject, JsonObject> ToStorage)
{
    private static readonly (string Core, string View)[] EventMembers =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
    ];

    /// <summary>events.k8s.io: the core Events with renamed fields.</summary>
    public static ResourceView Events { get; } =
        new(
            tree => Rename(tree, EventMembers.Select(member => (member.Core, member.View))),
            tree => Rename(tree, EventMembers.Select(member => (member.View, member.Core)))
        );

    private static JsonObject Rename(JsonObject tree, IEnumerable<(string From, string To)> names)
    {
        var renamed = tree.Copy();
        foreach (var (from, to) in names)
        {
            if (renamed.TryGetPropertyValue(from, out var value))
            {
                renamed.Remove(from);
                renamed[to] = value;
            }
        }
        return renamed;
    }
}
