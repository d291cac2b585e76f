using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Inspection.Dashboard;

/// <summary>
/// Who may use the page. It listens on loopback only, but other users of the machine and every web site in the user's browser can reach
/// that: the data needs the key in the printed URL, which the page sends in a header. A browser sends such a header for another site only
/// after a preflight request, which is rejected. The name in the Host header must be one of loopback, so that no other name can be
/// resolved to this server.
/// </summary>
/// <param name="key">The key.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestGuard(string key, TimeProvider time)
{
    /// <summary>The header with the key.</summary>
    public const string Header = "X-KubeLB-Key";

    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    /// <summary>The path where a page exchanges a code for the key.</summary>
    public const string SessionPath = "/api/session";

    private static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private string? _code;
    private long _codeCreatedAt;

    private readonly byte[] _key = Encoding.ASCII.GetBytes(key);

    /// <summary>A new key.</summary>
    public static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));

    /// <summary>
    /// A code that a page can exchange for the key, once and within a minute: other users can see the arguments of the browser's process.
    /// </summary>
    public string NewCode()
    {
        lock (_gate)
        {
            _code = NewKey();
            _codeCreatedAt = time.GetTimestamp();
            return _code;
        }
    }

    /// <summary>Exchanges a code for the key; null if it is not valid.</summary>
    public string? Redeem(string code)
    {
        lock (_gate)
        {
            if (_code is null || time.GetElapsedTime(_codeCreatedAt) > CodeLifetime || !IsEqual(code, Encoding.ASCII.GetBytes(_code)))
            {
                return null;
            }

            _code = null;
            return key;
        }
    }

    /// <summary>Sets the headers of the response, and rejects requests of others.</summary>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        var problem = Problem(context);
        return problem is null ? next(context) : RejectAsync(context, problem.Value.Status, problem.Value.Text);
    }

    private (int Status, string Text)? Problem(HttpContext context)
    {
        var request = context.Request;
        var port = context.Connection.LocalPort;
        if (context.Connection.RemoteIpAddress is not { } remote || !IPAddress.IsLoopback(remote))
        {
            return (StatusCodes.Status403Forbidden, "Only this machine may use the page.");
        }

        if (request.Host.Value is not { } host || (host != $"127.0.0.1:{port}" && host != $"localhost:{port}"))
        {
            return (StatusCodes.Status421MisdirectedRequest, $"The page is served as 127.0.0.1:{port} only.");
        }

        if (!request.Path.StartsWithSegments("/api", StringComparison.Ordinal))
        {
            return HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
                ? null
                : (StatusCodes.Status405MethodNotAllowed, "Use GET.");
        }

        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site) && site != "same-origin" && site != "none")
        {
            return (StatusCodes.Status403Forbidden, "Requests of other sites are rejected.");
        }

        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && origin != $"http://{host}")
        {
            return (StatusCodes.Status403Forbidden, "Requests of other sites are rejected.");
        }

        if (HttpMethods.IsPost(request.Method) && !request.HasJsonContentType())
        {
            return (StatusCodes.Status415UnsupportedMediaType, "Send application/json.");
        }

        return request.Path == SessionPath || IsEqual(request.Headers[Header].ToString(), _key)
            ? null
            : (StatusCodes.Status401Unauthorized, $"Send the key of the printed URL in the header {Header}.");
    }

    private static bool IsEqual(string text, byte[] secret) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(text), secret);

    private static Task RejectAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
