using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Attributes of a request, parsed from method and path like Kubernetes' RequestInfo.</summary>
internal sealed record RequestInfo
{
    public bool IsResource { get; init; }

    /// <summary>get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in lower case.</summary>
    public required string Verb { get; init; }

    public string Group { get; init; } = "";

    public string Version { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    public required string Path { get; init; }

    public static RequestInfo Parse(HttpRequest request) => Parse(request.Method, request.Path.Value ?? "/", IsWatch(request));

    public static RequestInfo Parse(string method, string path, bool isWatch)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var other = new RequestInfo { Verb = method.ToLowerInvariant(), Path = path };
        var isCore = parts is ["api", ..];
        var prefix = isCore ? 2 : 3;
        if (parts.Length <= prefix || !(isCore || parts is ["apis", ..]))
        {
            return other;
        }
        var group = isCore ? "" : parts[1];
        var version = parts[prefix - 1];
        var rest = parts.AsSpan(prefix);
        var @namespace = "";
        if (rest[0] == "namespaces" && rest.Length > 1)
        {
            @namespace = Unescape(rest[1]);
            if (rest.Length > 2 && rest[2] is not ("status" or "finalize"))
            {
                rest = rest[2..];
            }
        }
        if (rest.Length > 3)
        {
            // Only proxy subresources have deeper paths; they are not supported.
            return other with
            {
                IsResource = true,
                Verb = other.Verb,
                Group = group,
                Version = version,
                Resource = rest[0],
                Namespace = @namespace,
                Name = Unescape(rest[1]),
                Subresource = string.Join('/', rest[2..].ToArray()),
            };
        }
        var name = rest.Length > 1 ? Unescape(rest[1]) : "";
        return new RequestInfo
        {
            IsResource = true,
            Verb = VerbOf(method, isWatch, name),
            Group = group,
            Version = version,
            Resource = rest[0],
            Name = name,
            Subresource = rest.Length > 2 ? rest[2] : "",
            Namespace = @namespace,
            Path = path,
        };
    }

    /// <summary>The verb of a resource request.</summary>
    private static string VerbOf(string method, bool isWatch, string name) =>
        method switch
        {
            "GET" or "HEAD" when isWatch => "watch",
            "GET" or "HEAD" => name.Length > 0 ? "get" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => name.Length > 0 ? "delete" : "deletecollection",
            _ => method.ToLowerInvariant(),
        };

    private static bool IsWatch(HttpRequest request) =>
        request.Query.TryGetValue("watch", out var watch) && watch.Count > 0 && watch[0] is "1" or "true" or "True" or "t" or "T" or "TRUE";

    private static string Unescape(string part) => Uri.UnescapeDataString(part);
}
