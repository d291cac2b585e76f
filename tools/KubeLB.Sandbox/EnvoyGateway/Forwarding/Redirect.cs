using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Location of a redirect. Pure.</summary>
internal static class Redirect
{
    /// <summary>
    /// The value of the Location header. The port of the request's host is kept if the filter sets neither a hostname nor a port other than
    /// 80 and 443, also with another scheme.
    /// </summary>
    /// <param name="filter">The filter.</param>
    /// <param name="scheme">The request's scheme.</param>
    /// <param name="host">The request's host, with its port.</param>
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

        // Envoy Gateway does not pass 80 and 443 to Envoy, for either scheme.
        var suffix = port is 80 or 443 ? "" : $":{port}";
        var authority = filter.Hostname ?? (suffix.Length > 0 ? WithoutPort(host) : WithoutDefaultPort(host, scheme, target));
        return $"{target}://{authority}{suffix}{PathRewrite.Apply(filter.Path, path, prefix)}{query}";
    }

    private static string WithoutDefaultPort(string host, string scheme, string target) =>
        target != scheme && PortOf(host) == $":{WellKnown(scheme)}" ? WithoutPort(host) : host;

    private static string WithoutPort(string host) => host[..^PortOf(host).Length];

    private static string PortOf(string host)
    {
        var port = host.LastIndexOf(':');
        return port < 0 || (host[0] == '[' && host[port - 1] != ']') ? "" : host[port..];
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
                // Envoy replaces the text of the prefix: "/" by "/pre" makes "/pretest" of "/test".
                var rest = path[Math.Min(prefix.Length > 1 ? prefix.TrimEnd('/').Length : prefix.Length, path.Length)..];
                var replacement = (modifier.ReplacePrefixMatch ?? "").TrimEnd('/');
                return replacement.Length == 0 ? "/" + rest.TrimStart('/') : replacement + rest;
            default:
                return path;
        }
    }
}
