namespace KubeLB.EmbeddedCluster.Http;

/// <summary>How an answer is to be encoded.</summary>
internal readonly record struct Negotiated(ObjectForm Form, bool Yaml)
{
    public string ContentType => Yaml ? "application/yaml" : "application/json";
}
