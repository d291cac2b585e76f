using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

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
