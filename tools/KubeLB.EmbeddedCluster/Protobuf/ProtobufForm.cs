namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>The encoding of a field.</summary>
internal enum ProtobufForm
{
    Text,
    Integer,
    Boolean,
    Bytes,
    Time,
    Quantity,
    IntOrString,
    Message,
}
