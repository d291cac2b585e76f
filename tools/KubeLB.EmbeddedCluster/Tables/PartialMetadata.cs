using System.Buffers;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Tables;

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
