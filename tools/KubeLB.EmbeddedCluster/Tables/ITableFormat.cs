using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>The table format of a resource.</summary>
internal interface ITableFormat
{
    IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells of one object's row.</summary>
    IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now);
}
