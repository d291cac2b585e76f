namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>How a member is encoded.</summary>
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
