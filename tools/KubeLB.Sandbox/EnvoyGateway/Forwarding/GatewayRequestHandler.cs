using System.Globalization;
using System.Text;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.Networking;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Handles the requests of all Gateways: matches the route, applies its filters and forwards.</summary>
internal sealed class GatewayRequestHandler(IBackendDirectory backends, BackendForwarder forwarder)
{
    /// <summary>Handles a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var port = (GatewayPort)context.Features.Get<HttpServerListener>()!.Owner;
        var received = RequestTarget.Of(context);
        var (path, redirects) = RequestPath.Normalize(received.Path);
        var target = received with { Path = path };
        var trace = context.Features.Get<RequestTrace>();
        if (redirects)
        {
            trace?.AnsweredByGateway("redirect to the normalized path");
            await LocalReply.RedirectAsync(context, path + target.Query).ConfigureAwait(false);
            return;
        }

        EnvoyHeaders.Add(context, port.IsHttps);
        trace?.Identify(context.Request.Headers["x-request-id"].ToString());
        var entry = port.Routes.Find(Attributes(context, target));
        if (entry is null)
        {
            trace?.AnsweredByGateway("no route");
            await LocalReply.RespondAsync(context, StatusCodes.Status404NotFound).ConfigureAwait(false);
            return;
        }

        var action = entry.Action;
        if (action.Cors is { } cors && Cors.Apply(context, cors))
        {
            trace?.AnsweredByGateway("CORS preflight");
            return;
        }

        var prefix = entry.Match.Path.Kind == PathKind.Prefix ? entry.Match.Path.Value : "";
        if (action.Filters.FirstOrDefault(f => f.RequestRedirect is not null)?.RequestRedirect is { } redirect)
        {
            trace?.AnsweredByGateway("redirect");
            await RedirectAsync(context, redirect, port, target, prefix).ConfigureAwait(false);
            return;
        }

        var session = action.Session is { } rule ? new Session(rule, SessionRule.CookiePath(entry.Match.Path)) : null;
        await ForwardAsync(context, action, target, prefix, session).ConfigureAwait(false);
    }

    private async Task ForwardAsync(HttpContext context, RouteAction action, RequestTarget target, string prefix, Session? session)
    {
        var trace = context.Features.Get<RequestTrace>();
        var backend = action.Choose(Random.Shared.NextDouble());
        var location = backend is { IsValid: true } ? backends.Find(backend) : BackendLocation.Missing;
        if (!location.Exists)
        {
            trace?.AnsweredByGateway("no backend");
            await LocalReply.RespondAsync(context, StatusCodes.Status500InternalServerError).ConfigureAwait(false);
            return;
        }

        if (location.EndPoints.Count == 0)
        {
            trace?.AnsweredByGateway("no ready proxy");
            await LocalReply.RespondAsync(context, StatusCodes.Status503ServiceUnavailable, "no healthy upstream").ConfigureAwait(false);
            return;
        }

        List<RouteFilter> filters = [.. action.Filters, .. backend!.Filters];
        var rewrite = filters.LastOrDefault(f => f.UrlRewrite is not null)?.UrlRewrite;
        var substitutions = Substitutions(context, target);
        HeaderChanges.Apply(context.Request.Headers, filters.Select(f => f.RequestHeaderModifier).OfType<HeaderFilter>(), substitutions);

        var path = PathRewrite.Apply(rewrite?.Path, target.Path, prefix);
        if (rewrite?.Path is not null)
        {
            context.Request.Headers["x-envoy-original-path"] = target.Path + target.Query;
        }

        var outgoing = new OutgoingRequest(
            session?.Order(context.Request, location.EndPoints) ?? location.EndPoints,
            path + target.Query,
            rewrite?.Hostname ?? context.Request.Host.Value ?? "",
            location.Http2 || action.IsGrpc,
            action.RequestTimeout,
            Min(action.BackendTimeout, action.Retry?.PerTryTimeout),
            action.Retry,
            [.. filters.Select(f => f.ResponseHeaderModifier).OfType<HeaderFilter>()],
            substitutions
        )
        {
            Session = session,
        };
        var mirrors = action
            .Mirrors.Where(m => m.Target.IsValid && Random.Shared.NextDouble() * 100 < m.Percent)
            .Select(m => backends.Find(m.Target).EndPoints)
            .Where(e => e.Count > 0)
            .Select(e => e[0])
            .ToList();
        await forwarder.ForwardAsync(context, outgoing, mirrors).ConfigureAwait(false);
    }

    private static async Task RedirectAsync(
        HttpContext context,
        RequestRedirectFilter redirect,
        GatewayPort port,
        RequestTarget target,
        string prefix
    )
    {
        context.Response.Headers.Location = Redirect.Location(
            redirect,
            port.IsHttps ? "https" : "http",
            context.Request.Host.Value ?? "",
            port.Port,
            target.Path,
            target.Query,
            prefix
        );
        await LocalReply.RespondAsync(context, redirect.StatusCode ?? StatusCodes.Status302Found).ConfigureAwait(false);
    }

    private static RequestAttributes Attributes(HttpContext context, RequestTarget target)
    {
        var request = context.Request;
        return new RequestAttributes(
            Hostnames.FromHeader(request.Host.Value ?? ""),
            target.Path,
            request.Method,
            name => request.Headers.TryGetValue(name, out var values) ? string.Join(',', values.AsEnumerable()) : null,
            name => request.Query.TryGetValue(name, out var values) ? values[0] : null
        );
    }

    private static SubstitutionContext Substitutions(HttpContext context, RequestTarget target)
    {
        // Evaluated on the original request, not on the filtered one.
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var host = context.Request.Host.Value;
        return new SubstitutionContext
        {
            RequestHeader = name =>
                name.ToUpperInvariant() switch
                {
                    ":AUTHORITY" => host,
                    ":PATH" => target.Path + target.Query,
                    ":METHOD" => context.Request.Method,
                    _ => headers.GetValueOrDefault(name),
                },
            Protocol = context.Request.Protocol,
            RemoteAddress = context.Connection.RemoteIpAddress?.ToString() ?? "",
            StartTime = DateTimeOffset.UtcNow,
        };
    }

    private static TimeSpan? Min(TimeSpan? one, TimeSpan? other) =>
        (one, other) switch
        {
            (null, _) => other,
            (_, null) => one,
            _ => one < other ? one : other,
        };
}

/// <summary>Undecoded path and query of a request.</summary>
/// <param name="Path">Path, starting with a slash.</param>
/// <param name="Query">Query with its question mark, or empty.</param>
internal sealed record RequestTarget(string Path, string Query)
{
    /// <summary>Reads the target of a request.</summary>
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

/// <summary>Request headers that Envoy adds before routing.</summary>
internal static class EnvoyHeaders
{
    /// <summary>Adds X-Forwarded-For, X-Forwarded-Proto and X-Request-Id.</summary>
    public static void Add(HttpContext context, bool isHttps)
    {
        var headers = context.Request.Headers;
        var client = context.Connection.RemoteIpAddress?.ToString() ?? "";
        headers["x-forwarded-for"] = StringValues.IsNullOrEmpty(headers["x-forwarded-for"])
            ? client
            : $"{headers["x-forwarded-for"]},{client}";
        headers["x-forwarded-proto"] = isHttps ? "https" : "http";
        if (StringValues.IsNullOrEmpty(headers["x-request-id"]))
        {
            headers["x-request-id"] = Guid.NewGuid().ToString();
        }
    }
}

/// <summary>Responses of the stand-in itself.</summary>
internal static class LocalReply
{
    /// <summary>Header of errors, to tell them from those of a tenant proxy. Envoy does not set it.</summary>
    public const string OwnResponseHeader = "x-sandbox-response-of";

    /// <summary>Responds with a status; to a gRPC call as in Envoy: HTTP 200 with the gRPC status in the headers.</summary>
    /// <remarks>https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md</remarks>
    public static async Task RespondAsync(HttpContext context, int status, string text = "")
    {
        var response = context.Response;
        if (status >= StatusCodes.Status400BadRequest)
        {
            response.Headers[OwnResponseHeader] = "envoy-gateway";
        }

        if (IsGrpc(context))
        {
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/grpc";
            response.Headers["grpc-status"] = GrpcStatusOf(status).ToString(CultureInfo.InvariantCulture);
            if (text.Length > 0)
            {
                response.Headers["grpc-message"] = GrpcMessage(text);
            }

            return;
        }

        response.StatusCode = status;
        if (text.Length > 0)
        {
            response.ContentType = "text/plain";
            await response.WriteAsync(text, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Redirects to a normalized path. gRPC has no redirects, so a call is rejected.</summary>
    public static Task RedirectAsync(HttpContext context, string location)
    {
        if (IsGrpc(context))
        {
            return RespondAsync(context, StatusCodes.Status400BadRequest);
        }

        context.Response.Headers.Location = location;
        return RespondAsync(context, StatusCodes.Status307TemporaryRedirect);
    }

    /// <summary>Percent-encodes a gRPC message: only <c>%</c> and what is not printable ASCII.</summary>
    /// <remarks>https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Status-Message)</remarks>
    internal static string GrpcMessage(string text) =>
        string.Concat(Encoding.UTF8.GetBytes(text).Select(b => b is >= 0x20 and <= 0x7E and not (byte)'%' ? $"{(char)b}" : $"%{b:X2}"));

    private static bool IsGrpc(HttpContext context) =>
        context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    private static int GrpcStatusOf(int httpStatus) =>
        httpStatus switch
        {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 or 502 or 503 or 504 => 14,
            _ => 2,
        };
}
