namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>A member of a message: its JSON name, its form, and for messages the type's name.</summary>
internal sealed record ProtobufMember(string Name, ProtobufForm Form, string Type, bool Repeated, bool Map);
