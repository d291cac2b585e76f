using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>One served version of a CustomResourceDefinition.</summary>
internal sealed class CustomVersion
{
    private readonly Lazy<SchemaNode?> _schema;
    private readonly ConditionalWeakTable<StoredObject, StoredObject> _reshaped = [];

    public CustomVersion(JsonObject version)
    {
        Name = version.Text("name") ?? "";
        Source = version.Object("schema").Object("openAPIV3Schema");
        _schema = new Lazy<SchemaNode?>(() => Source is null ? null : new SchemaNode(Source));
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
        ReferenceEquals(stored.Shape, this) || Schema is null ? stored : _reshaped.GetValue(stored, Reshape);

    private StoredObject Reshape(StoredObject stored)
    {
        var tree = stored.ToTree();
        SchemaPruning.Apply(tree, Schema!, isResource: true, "", []);
        SchemaDefaulting.Apply(tree, Schema!);
        return ObjectEncoder.Encode(tree, this).At(stored.Revision);
    }
}
