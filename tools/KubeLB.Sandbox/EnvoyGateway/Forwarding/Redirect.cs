using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Location of a redirect. Pure.</summary>
internal static class Redirect
{
    /// <summary>The value of the Location header.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="scheme">The request's scheme.</param>
    /// <param name="host">The request's host, without port.</param>
    /// <param name="listenerPort">Port of the listener.</param>
    /// <param name="path">The request's path.</param>
    /// <param name="query">The request's query with its question mark, or empty.</param>
    /// <param name="prefix">The matched prefix.</param>
    /// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter (port)</remarks>
    public static string Location(
        RequestRedirectFilter filter,
        string scheme,
        string host,
        int listenerPort,
        string path,
        string query,
        string prefix
    )
    {
        var target = filter.Scheme ?? scheme;
        var port = filter.Port ?? (filter.Scheme is null ? listenerPort : WellKnown(filter.Scheme) ?? listenerPort);
        var authority = port == WellKnown(target) ? filter.Hostname ?? host : $"{filter.Hostname ?? host}:{port}";
        return $"{target}://{authority}{PathRewrite.Apply(filter.Path, path, prefix)}{query}";
    }

    private static int? WellKnown(string scheme) =>
        scheme switch
        {
            "http" => 80,
            "https" => 443,
            _ => null,
        };
}

/// <summary>Paths of rewrites and redirects. Pure.</summary>
internal static class PathRewrite
{
    /// <summary>The new path.</summary>
    /// <param name="modifier">The path modifier; null for an unchanged path.</param>
    /// <param name="path">The request's path, without query.</param>
    /// <param name="prefix">The matched prefix.</param>
    public static string Apply(PathModifier? modifier, string path, string prefix)
    {
        switch (modifier?.Type)
        {
            case "ReplaceFullPath":
                return modifier.ReplaceFullPath is { Length: > 0 } full ? full : "/";
            case "ReplacePrefixMatch":
                var rest = prefix is "/" or "" ? path : path[Math.Min(prefix.TrimEnd('/').Length, path.Length)..];
                var replacement = (modifier.ReplacePrefixMatch ?? "").TrimEnd('/');
                if (rest.Length > 0 && rest[0] != '/')
                {
                    rest = "/" + rest;
                }

                var joined = replacement + rest;
                return joined.Length == 0 ? "/" : joined;
            default:
                return path;
        }
    }
}
