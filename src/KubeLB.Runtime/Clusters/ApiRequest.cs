using System.Text;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <summary>One request to an API server, before it is bound to a connection.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path and query, relative to the API server's base address.</param>
/// <param name="Verb">The verb as RBAC names it, for metrics.</param>
/// <param name="Resource">The resource (with subresource) as RBAC names it, for metrics.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path, string Verb, string Resource)
{
    public string? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string Accept { get; init; } = "application/json";

    public static string PathOf(ResourceKind kind, string? ns, string? name = null, string? subresource = null)
    {
        var path = new StringBuilder(kind.Group.Length == 0 ? "api" : "apis/" + Uri.EscapeDataString(kind.Group));
        path.Append('/').Append(Uri.EscapeDataString(kind.Version));
        if (!string.IsNullOrEmpty(ns))
        {
            path.Append("/namespaces/").Append(Uri.EscapeDataString(ns));
        }

        path.Append('/').Append(Uri.EscapeDataString(kind.Plural));
        if (name is not null)
        {
            path.Append('/').Append(Uri.EscapeDataString(name));
        }

        if (subresource is not null)
        {
            path.Append('/').Append(subresource);
        }

        return path.ToString();
    }

    public static string PathOf(ResourceKind kind, ResourceKey key, string? subresource = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key.Name, nameof(key));
        return PathOf(kind, key.Namespace, key.Name, subresource);
    }

    public static string Query(params (string Name, string? Value)[] parameters)
    {
        var set = parameters.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}").ToList();
        return set.Count == 0 ? "" : "?" + string.Join('&', set);
    }
}
