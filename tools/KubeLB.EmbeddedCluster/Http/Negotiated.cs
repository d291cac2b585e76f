namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The negotiated form and encoding of a response.</summary>
internal readonly record struct Negotiated(ObjectForm Form, bool Yaml)
{
    public string ContentType => Yaml ? "application/yaml" : "application/json";
}
