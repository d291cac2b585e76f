namespace KubeLB.EmbeddedCluster.Json;

/// <summary>What reading a document found beside the document itself.</summary>
internal sealed class JsonFindings
{
    /// <summary>Paths of object members that occurred more than once; the last one won, as in Kubernetes.</summary>
    public List<string> Duplicates { get; } = [];
}
