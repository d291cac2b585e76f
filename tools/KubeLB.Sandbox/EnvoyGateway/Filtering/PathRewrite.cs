using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Filtering;

/// <summary>New paths of rewrites and redirects. Pure.</summary>
internal static class PathRewrite
{
    /// <summary>The new path.</summary>
    /// <param name="modifier">How to replace; null leaves the path as it is.</param>
    /// <param name="path">The request's path, without query.</param>
    /// <param name="prefix">The prefix that the rule matched.</param>
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
