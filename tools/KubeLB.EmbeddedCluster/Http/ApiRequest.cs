using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Selectors;
using KubeLB.EmbeddedCluster.Writing;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>A parsed request for a resource.</summary>
internal sealed record ApiRequest(HttpContext Context, RequestInfo Info, ResourceDefinition Resource, UserInfo User)
{
    public ObjectText Text { get; } = new(Resource);

    /// <summary>The object's namespace; empty for cluster-scoped resources.</summary>
    public string Namespace => Resource.Namespaced ? Info.Namespace : "";

    public string? Query(string name) => Context.Request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    public bool Flag(string name) => Query(name) is "true" or "1" or "True" or "TRUE" or "t";

    /// <exception cref="ApiException">406.</exception>
    public Negotiated Negotiate() => Negotiation.Negotiate(Context.Request, Resource.Custom is not null);

    public ObjectFilter Filter() => ObjectFilter.Parse(Resource, Namespace, Info.Name, Query("labelSelector"), Query("fieldSelector"));

    /// <exception cref="ApiException">422 for an invalid value.</exception>
    public WriteOptions WriteOptions(bool isApply = false)
    {
        var dryRun = Context.Request.Query["dryRun"];
        var manager = Query("fieldManager") ?? "";
        var errors = new List<FieldError>();
        errors.AddRange(dryRun.Where(value => value != "All").Select(value => FieldError.NotSupported("dryRun", value ?? "", "All")));
        if (isApply && manager.Length == 0)
        {
            errors.Add(FieldError.Required("fieldManager", "is required for apply patch"));
        }
        else if (!isApply && Info.Verb == "patch" && Query("force") is not null)
        {
            errors.Add(FieldError.Forbidden("force", "may not be specified for non-apply patch"));
        }
        errors.AddRange(ManagerNames.Validate(manager));
        var validation = FieldValidation.Warn;
        switch (Query("fieldValidation"))
        {
            case null or "" or "Warn":
                break;
            case "Strict":
                validation = FieldValidation.Strict;
                break;
            case "Ignore":
                validation = FieldValidation.Ignore;
                break;
            case var other:
                errors.Add(FieldError.NotSupported("fieldValidation", other, "", "Ignore", "Strict", "Warn"));
                break;
        }
        if (errors.Count > 0)
        {
            var kind = Info.Verb switch
            {
                "create" => "CreateOptions",
                "patch" => "PatchOptions",
                _ => "UpdateOptions",
            };
            throw ApiErrors.Invalid("meta.k8s.io", kind, "", errors);
        }
        return new WriteOptions
        {
            DryRun = dryRun.Count > 0,
            FieldValidation = validation,
            Manager = manager.Length > 0 ? manager : ManagerNames.FromUserAgent(Context.Request.Headers.UserAgent.ToString()),
            Subresource = Info.Subresource,
            IsApply = isApply,
        };
    }
}

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
        var isProxy = rest.Length > 2 && rest[2] == "proxy";
        if (rest.Length > 3 && !isProxy)
        {
            // Only proxy subresources have deeper paths.
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
            Verb = VerbOf(method, isWatch && !isProxy, name),
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
