namespace KubeLB.EmbeddedCluster.Http;

/// <summary>One entry of an Accept header.</summary>
internal sealed record AcceptedType(string MediaType, IReadOnlyDictionary<string, string> Parameters)
{
    public string? Parameter(string name) => Parameters.GetValueOrDefault(name);
}
