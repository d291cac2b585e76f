using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
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

/// <summary>The table format of a resource.</summary>
internal interface ITableFormat
{
    IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells of one object's row.</summary>
    IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now);
}

/// <summary>A column of a <c>Table</c>, as <c>kubectl get</c> shows it.</summary>
internal sealed record TableColumn(string Name, string Type = "string", string Format = "", string Description = "", int Priority = 0);

/// <summary>The additional printer columns of a CustomResourceDefinition.</summary>
internal sealed class CustomTable : ITableFormat
{
    private static readonly PrinterColumn Age = new("Age", "date", "", "", 0, ".metadata.creationTimestamp");

    private readonly List<(PrinterColumn Column, JsonPath? Path)> _columns = [];

    public CustomTable(IReadOnlyList<PrinterColumn> columns)
    {
        foreach (var column in columns.Count == 0 ? [Age] : columns)
        {
            JsonPath? path = null;
            try
            {
                path = JsonPath.Parse(column.JsonPath);
            }
            catch (FormatException)
            {
                // Kubernetes shows an empty column for an unsupported path.
            }
            _columns.Add((column, path));
        }
        Columns =
        [
            TableFormat.NameAndAge.Columns[0],
            .. _columns.Select(item => new TableColumn(
                item.Column.Name,
                item.Column.Type,
                item.Column.Format,
                Describe(item.Column),
                item.Column.Priority
            )),
        ];
    }

    public IReadOnlyList<TableColumn> Columns { get; }

    public IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now) =>
        _columns.Select(item => Cell(tree, item.Column, item.Path, now)).Prepend(tree.Object("metadata").Text("name"));

    private static string Describe(PrinterColumn column) =>
        column.Description.Length > 0 ? column.Description
        : column.JsonPath == ".metadata.creationTimestamp" ? TableFormat.NameAndAge.Columns[1].Description
        : $"Custom resource definition column (in JSONPath format): {column.JsonPath}";

    private static JsonNode? Cell(JsonObject tree, PrinterColumn column, JsonPath? path, DateTimeOffset now)
    {
        var values = path?.Evaluate(tree).Where(value => value is not null).ToList();
        if (values is not { Count: > 0 })
        {
            return null;
        }
        var value = values[0];
        switch (column.Type)
        {
            case "integer":
                return value.AsInteger()
                    ?? (
                        long.TryParse(value.AsText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)
                            ? parsed
                            : null
                    );
            case "number":
                return value.AsNumber();
            case "boolean":
                return value.Kind() is JsonValueKind.True or JsonValueKind.False ? value!.DeepClone() : null;
            case "date":
                return value.AsText() is { } time ? Durations.Since(time, now) : null;
            default:
                // Several values are printed like a list by Go's fmt.
                return values.Count > 1 && column.JsonPath.Contains('*', StringComparison.Ordinal)
                    ? string.Join(",", values.Select(JsonPath.Print))
                    : JsonPath.Print(value);
        }
    }
}
