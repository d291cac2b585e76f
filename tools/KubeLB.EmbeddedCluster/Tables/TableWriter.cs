using System.Buffers;
using System.Text.Json;
using KubeLB.EmbeddedCluster.Http;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>Writes objects as a <c>Table</c> of meta.k8s.io.</summary>
internal sealed class TableWriter(ResourceDefinition resource, ObjectText text, string? includeObject, DateTimeOffset now)
{
    public void Write(
        IBufferWriter<byte> output,
        IEnumerable<StoredObject> objects,
        long revision,
        ListMetadata? metadata,
        bool withColumns
    )
    {
        using var json = new Utf8JsonWriter(output, JsonText.WriterOptions);
        json.WriteStartObject();
        json.WriteString("kind", "Table");
        json.WriteString("apiVersion", "meta.k8s.io/v1");
        json.WriteStartObject("metadata");
        if (revision > 0)
        {
            json.WriteString("resourceVersion", revision.ToString());
        }
        metadata?.WriteMembers(json);
        json.WriteEndObject();
        if (withColumns)
        {
            WriteColumns(json);
        }
        else
        {
            json.WriteNull("columnDefinitions");
        }
        json.WriteStartArray("rows");
        foreach (var stored in objects)
        {
            WriteRow(json, stored);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteColumns(Utf8JsonWriter json)
    {
        json.WriteStartArray("columnDefinitions");
        foreach (var column in resource.Table.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Type);
            json.WriteString("format", column.Format);
            json.WriteString("description", column.Description);
            json.WriteNumber("priority", column.Priority);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteRow(Utf8JsonWriter json, StoredObject stored)
    {
        var tree = text.Show(stored).ToTree();
        json.WriteStartObject();
        json.WriteStartArray("cells");
        foreach (var cell in resource.Table.Cells(tree, now))
        {
            if (cell is null)
            {
                json.WriteNullValue();
            }
            else
            {
                cell.WriteTo(json);
            }
        }
        json.WriteEndArray();
        switch (includeObject)
        {
            case "None":
                break;
            case "Object":
                json.WritePropertyName("object");
                text.ToTree(stored).WriteTo(json);
                break;
            default:
                json.WritePropertyName("object");
                PartialMetadata.Of(tree).WriteTo(json);
                break;
        }
        json.WriteEndObject();
    }
}
