namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The encodings of request bodies.</summary>
internal enum BodyEncoding
{
    Json,
    Yaml,
    Protobuf,
}
