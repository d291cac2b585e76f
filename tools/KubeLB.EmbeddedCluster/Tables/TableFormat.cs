using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>A table format built from columns with cell functions.</summary>
internal sealed class TableFormat : ITableFormat
{
    private readonly List<Func<JsonObject, DateTimeOffset, JsonNode?>> _cells = [];
    private readonly List<TableColumn> _columns = [];

    public IReadOnlyList<TableColumn> Columns => _columns;

    /// <summary>The format of resources without specific columns.</summary>
    public static TableFormat NameAndCreation { get; } = new TableFormat().Name().Created();

    /// <summary>Columns Name and Age.</summary>
    public static TableFormat NameAndAge { get; } = new TableFormat().Name().Age();

    public IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now) => _cells.Select(cell => cell(tree, now));

    public TableFormat Column(
        string name,
        Func<JsonObject, DateTimeOffset, JsonNode?> cell,
        string type = "string",
        int priority = 0,
        string format = ""
    )
    {
        _columns.Add(new TableColumn(name, type, format, Describe(name), priority));
        _cells.Add(cell);
        return this;
    }

    public TableFormat Text(string name, Func<JsonObject, string?> cell, int priority = 0) =>
        Column(name, (tree, _) => cell(tree) ?? "<none>", priority: priority);

    public TableFormat Integer(string name, Func<JsonObject, long?> cell, int priority = 0) =>
        Column(name, (tree, _) => cell(tree) ?? 0, "integer", priority);

    public TableFormat Name() => Column("Name", (tree, _) => tree.Object("metadata").Text("name"), format: "name");

    public TableFormat Age() => Column("Age", (tree, now) => Durations.Since(tree.Object("metadata").Text("creationTimestamp"), now));

    public TableFormat Created() => Column("Created At", (tree, _) => tree.Object("metadata").Text("creationTimestamp"));

    private static string Describe(string name) =>
        name switch
        {
            "Name" => "Name of the object. Unique per kind and namespace.",
            "Age" or "Created At" => "Creation time of the object.",
            _ => "",
        };
}
