using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>How a resource is printed.</summary>
internal interface ITableFormat
{
    IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells of one object's row.</summary>
    IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now);
}
