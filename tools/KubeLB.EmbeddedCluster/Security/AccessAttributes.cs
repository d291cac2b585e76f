namespace KubeLB.EmbeddedCluster.Security;

/// <summary>The attributes of an authorization decision.</summary>
internal sealed record AccessAttributes
{
    public required string Verb { get; init; }

    public string Group { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>The path of a non-resource request.</summary>
    public string? Path { get; init; }

    /// <summary>The resource with its subresource, as in RBAC rules.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>The denial message of Kubernetes, without its prefix.</summary>
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
