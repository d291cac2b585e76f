namespace KubeLB.EmbeddedCluster.Json;

/// <summary>Findings of a parser in addition to the document.</summary>
internal sealed class JsonFindings
{
    /// <summary>Paths of duplicate members; the last one is used, as in Kubernetes.</summary>
    public List<string> Duplicates { get; } = [];
}
