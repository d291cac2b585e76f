namespace KubeLB.EmbeddedCluster.Security;

/// <summary>What somebody wants to do.</summary>
internal sealed record AccessAttributes
{
    public required string Verb { get; init; }

    public string Group { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>The path, for requests that are not about a resource.</summary>
    public string? Path { get; init; }

    /// <summary>The resource with its subresource, as rules name it.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>The refusal in Kubernetes' words, without its beginning.</summary>
    public string Describe(string user)
    {
        if (Path is not null)
        {
            return $"User \"{user}\" cannot {Verb} path \"{Path}\"";
        }
        var scope = Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{Namespace}\"";
        return $"User \"{user}\" cannot {Verb} resource \"{FullResource}\" in API group \"{Group}\" {scope}";
    }
}
