using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Tables;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>One served version of a CustomResourceDefinition.</summary>
internal sealed class CustomVersion
{
    private readonly Lazy<SchemaNode?> _schema;
    private readonly Lazy<SchemaRules?> _rules;
    private readonly ConditionalWeakTable<StoredObject, StoredObject> _converted = [];

    public CustomVersion(JsonObject version)
    {
        Name = version.Text("name") ?? "";
        Source = version.Object("schema").Object("openAPIV3Schema");
        _schema = new Lazy<SchemaNode?>(() => Source is null ? null : new SchemaNode(Source));
        _rules = new Lazy<SchemaRules?>(() => Schema is null ? null : SchemaRules.Compile(Schema, "", []));
        var subresources = version.Object("subresources");
        HasStatus = subresources?["status"] is not null;
        Scale = subresources.Object("scale") is { } scale
            ? new ScalePaths(
                scale.Text("specReplicasPath") ?? ".spec.replicas",
                scale.Text("statusReplicasPath") ?? ".status.replicas",
                scale.Text("labelSelectorPath")
            )
            : null;
        Columns =
        [
            .. version
                .Array("additionalPrinterColumns")
                .Objects()
                .Select(column => new PrinterColumn(
                    column.Text("name") ?? "",
                    column.Text("type") ?? "string",
                    column.Text("format") ?? "",
                    column.Text("description") ?? "",
                    (int)(column.Integer("priority") ?? 0),
                    column.Text("jsonPath") ?? ""
                )),
        ];
        SelectableFields = [.. version.Array("selectableFields").Objects().Select(field => field.Text("jsonPath")).OfType<string>()];
    }

    public string Name { get; }

    /// <summary>The schema as JSON.</summary>
    public JsonObject? Source { get; }

    public SchemaNode? Schema => _schema.Value;

    /// <summary>The validation rules of the schema; null if it has none.</summary>
    public SchemaRules? Rules => _rules.Value;

    public bool HasStatus { get; }

    public ScalePaths? Scale { get; }

    public IReadOnlyList<PrinterColumn> Columns { get; }

    /// <summary>JSON paths of the selectable fields.</summary>
    public IReadOnlyList<string> SelectableFields { get; }

    /// <summary>
    /// An object in this version: one that was written with another schema is pruned and defaulted by this one, as Kubernetes does on
    /// reading.
    /// </summary>
    public StoredObject Show(StoredObject stored) =>
        ReferenceEquals(stored.Shape, this) || Schema is null ? stored : _converted.GetValue(stored, ConvertToThisVersion);

    private StoredObject ConvertToThisVersion(StoredObject stored)
    {
        var tree = stored.ToTree();
        SchemaPruning.Apply(tree, Schema!, isResource: true, "", []);
        SchemaDefaulting.Apply(tree, Schema!);
        return ObjectEncoder.Encode(tree, this).At(stored.Revision);
    }
}

/// <summary>The JSON paths of the scale subresource.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);

/// <summary>A column of <c>kubectl get</c> for a custom resource.</summary>
internal sealed record PrinterColumn(string Name, string Type, string Format, string Description, int Priority, string JsonPath);

/// <summary>Creates resource definitions from a CustomResourceDefinition.</summary>
internal static class CustomResource
{
    private static readonly string[] Verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    private static readonly string[] SubresourceVerbs = ["get", "patch", "update"];

    public static ImmutableArray<ResourceDefinition> Read(JsonObject definition)
    {
        var spec = definition.Object("spec")!;
        var names = spec.Object("names")!;
        var versions = spec.Array("versions").Objects().ToList();
        var storage = versions.FirstOrDefault(version => version.Boolean("storage") == true).Text("name");
        return
        [
            .. versions
                .Where(version => version.Boolean("served") == true)
                .Select(version => Read(spec, names, new CustomVersion(version), storage)),
        ];
    }

    private static ResourceDefinition Read(JsonObject spec, JsonObject names, CustomVersion version, string? storage)
    {
        var kind = names.Text("kind") ?? "";
        var subresources = new List<SubresourceDefinition>();
        if (version.HasStatus)
        {
            subresources.Add(new SubresourceDefinition("status", kind, SubresourceVerbs));
        }
        if (version.Scale is not null)
        {
            subresources.Add(new SubresourceDefinition("scale", "Scale", SubresourceVerbs, "autoscaling", "v1"));
        }
        return new ResourceDefinition
        {
            Group = spec.Text("group") ?? "",
            Version = version.Name,
            Plural = names.Text("plural") ?? "",
            Singular = names.Text("singular") ?? kind.ToLowerInvariant(),
            Kind = kind,
            ListKind = names.Text("listKind") ?? kind + "List",
            Namespaced = spec.Text("scope") != "Cluster",
            ShortNames = [.. names.Array("shortNames").Strings()],
            Categories = [.. names.Array("categories").Strings()],
            Verbs = Verbs,
            Subresources = subresources,
            StorageVersion = storage ?? version.Name,
            HasGeneration = true,
            Custom = version,
            Strategy = new CustomResourceStrategy(version),
            Table = new CustomTable(version.Columns),
            SelectableFields = version.SelectableFields.ToDictionary(
                path => path.TrimStart('.'),
                path =>
                {
                    var compiled = JsonPath.Parse(path);
                    return (Func<JsonObject, string>)(tree => JsonPath.Print(compiled.Evaluate(tree).FirstOrDefault()));
                },
                StringComparer.Ordinal
            ),
        };
    }
}
