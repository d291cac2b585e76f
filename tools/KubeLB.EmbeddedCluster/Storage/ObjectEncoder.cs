using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>Encodes trees as <see cref="StoredObject"/>s: metadata first, with members in Kubernetes' order.</summary>
internal static class ObjectEncoder
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
        MaxDepth = JsonReading.MaxDepth + 10,
    };

    private static readonly string[] BeforeRevision = ["name", "generateName", "namespace", "uid"];

    private static readonly string[] AfterRevision =
    [
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ];

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    /// <summary>Encodes an object without resourceVersion, to be committed.</summary>
    /// <param name="tree">The whole object; kind and apiVersion are omitted.</param>
    /// <param name="shape">The version of the definition whose schema was used.</param>
    public static StoredObject Encode(JsonObject tree, object? shape = null)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(4096);
        buffer.ResetWrittenCount();
        var writer = _writer ??= new Utf8JsonWriter(buffer, WriterOptions);
        writer.Reset(buffer);

        var metadata = tree.Object("metadata") ?? [];
        writer.WriteStartObject();
        writer.WriteStartObject("metadata");
        Write(writer, metadata, BeforeRevision);
        writer.WriteString("resourceVersion", "");
        writer.Flush();
        var revisionAt = buffer.WrittenCount - 1;
        Write(writer, metadata, AfterRevision);
        writer.WriteEndObject();
        foreach (var (name, value) in tree)
        {
            if (name is "kind" or "apiVersion" or "metadata")
            {
                continue;
            }
            writer.WritePropertyName(name);
            WriteValue(writer, value);
        }
        writer.WriteEndObject();
        writer.Flush();

        // Without the opening brace: see StoredObject.
        var tail = buffer.WrittenSpan[1..].ToArray();
        return new StoredObject(tail, revisionAt - 1, 0, 0, Identify(metadata), LabelsOf(metadata), shape);
    }

    private static void Write(Utf8JsonWriter writer, JsonObject metadata, string[] names)
    {
        foreach (var name in names)
        {
            var value = metadata[name];
            if (value is null or JsonObject { Count: 0 } or JsonArray { Count: 0 })
            {
                continue;
            }
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }

    private static void WriteValue(Utf8JsonWriter writer, JsonNode? value)
    {
        if (value is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            value.WriteTo(writer);
        }
    }

    private static ObjectIdentity Identify(JsonObject metadata) =>
        new(
            metadata.Text("namespace") ?? "",
            metadata.Text("name") ?? "",
            metadata.Text("uid") ?? "",
            metadata.Array("ownerReferences") is { Count: > 0 } owners
                ?
                [
                    .. owners
                        .Objects()
                        .Select(owner => new OwnerReference(
                            owner.Text("uid") ?? "",
                            owner.Text("apiVersion") ?? "",
                            owner.Text("kind") ?? "",
                            owner.Text("name") ?? "",
                            owner.Boolean("blockOwnerDeletion") ?? false
                        )),
                ]
                : [],
            metadata["deletionTimestamp"] is not null
        );

    private static KeyValuePair<string, string>[] LabelsOf(JsonObject metadata) =>
        metadata.Object("labels") is { Count: > 0 } labels
            ? [.. labels.Select(label => KeyValuePair.Create(label.Key, label.Value.AsText() ?? ""))]
            : [];
}
