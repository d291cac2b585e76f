namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>A field of a message: JSON name, encoding, and type name of messages.</summary>
internal sealed record ProtobufMember(string Name, ProtobufForm Form, string Type, bool Repeated, bool Map);
