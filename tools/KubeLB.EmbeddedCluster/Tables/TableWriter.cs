using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
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

/// <summary>An object reduced to its metadata.</summary>
internal static class PartialMetadata
{
    public static JsonObject Of(JsonObject tree) =>
        new()
        {
            ["kind"] = "PartialObjectMetadata",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = tree["metadata"]?.DeepClone(),
        };

    public static void Write(IBufferWriter<byte> output, StoredObject stored) => output.Write(JsonText.Bytes(Of(stored.ToTree())));
}

/// <summary>Formats durations as kubectl does.</summary>
internal static class Durations
{
    /// <summary>Time since an RFC 3339 timestamp; <c>&lt;unknown&gt;</c> if there is none.</summary>
    public static string Since(string? timestamp, DateTimeOffset now) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Human(now - time)
            : "<unknown>";

    /// <summary>Formats a duration like apimachinery's <c>HumanDuration</c>.</summary>
    public static string Human(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }
        if (seconds < 0)
        {
            return "0s";
        }
        if (seconds < 120)
        {
            return $"{seconds}s";
        }
        var minutes = seconds / 60;
        if (minutes < 10)
        {
            return seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s";
        }
        if (minutes < 180)
        {
            return $"{minutes}m";
        }
        var hours = minutes / 60;
        if (hours < 8)
        {
            return minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m";
        }
        if (hours < 48)
        {
            return $"{hours}h";
        }
        if (hours < 24 * 8)
        {
            return hours % 24 == 0 ? $"{hours / 24}d" : $"{hours / 24}d{hours % 24}h";
        }
        if (hours < 24 * 365 * 2)
        {
            return $"{hours / 24}d";
        }
        var years = hours / 24 / 365;
        var days = hours / 24 % 365;
        return years < 8 && days > 0 ? $"{years}y{days}d" : $"{years}y";
    }
}
