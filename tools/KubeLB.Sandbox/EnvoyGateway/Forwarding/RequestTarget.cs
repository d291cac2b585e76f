using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Path and query as the client sent them, undecoded.</summary>
/// <param name="Path">Path, starting with a slash.</param>
/// <param name="Query">Query with its question mark, or empty.</param>
internal sealed record RequestTarget(string Path, string Query)
{
    /// <summary>The target of a request.</summary>
    public static RequestTarget Of(HttpContext context)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!raw.StartsWith('/'))
        {
            // The absolute form ("GET http://host/path") and the asterisk form.
            return new RequestTarget(
                context.Request.Path.ToUriComponent() is { Length: > 0 } path ? path : "/",
                context.Request.QueryString.Value ?? ""
            );
        }

        var query = raw.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? new RequestTarget(raw, "") : new RequestTarget(raw[..query], raw[query..]);
    }
}
