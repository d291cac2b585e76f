using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Filtering;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.Networking;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Answers the requests of all Gateways: finds the route, applies its filters and forwards.</summary>
internal sealed class GatewayRequestHandler(IBackendDirectory backends, BackendForwarder forwarder)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var port = (GatewayPort)context.Features.Get<FrontListener>()!.Owner;
        var target = RequestTarget.Of(context);
        EnvoyHeaders.Add(context, port.IsHttps);
        var entry = port.Routes.Find(Facts(context, target));
        if (entry is null)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound).ConfigureAwait(false);
            return;
        }

        var action = entry.Action;
        var prefix = entry.Match.Path.Kind == PathKind.Prefix ? entry.Match.Path.Value : "";
        if (action.Filters.FirstOrDefault(f => f.RequestRedirect is not null)?.RequestRedirect is { } redirect)
        {
            await RedirectAsync(context, redirect, port, target, prefix).ConfigureAwait(false);
            return;
        }

        await ForwardAsync(context, action, target, prefix).ConfigureAwait(false);
    }

    private async Task ForwardAsync(HttpContext context, RouteAction action, RequestTarget target, string prefix)
    {
        var backend = action.Choose(Random.Shared.NextDouble());
        var location = backend is { IsValid: true } ? backends.Find(backend) : BackendLocation.Missing;
        if (!location.Exists)
        {
            await AnswerAsync(context, StatusCodes.Status500InternalServerError).ConfigureAwait(false);
            return;
        }

        if (location.EndPoints.Count == 0)
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "no healthy upstream").ConfigureAwait(false);
            return;
        }

        List<RouteFilter> filters = [.. action.Filters, .. backend!.Filters];
        var rewrite = filters.LastOrDefault(f => f.UrlRewrite is not null)?.UrlRewrite;
        var substitutions = Substitutions(context);
        HeaderChanges.Apply(context.Request.Headers, filters.Select(f => f.RequestHeaderModifier).OfType<HeaderFilter>(), substitutions);

        var path = PathRewrite.Apply(rewrite?.Path, target.Path, prefix);
        if (rewrite?.Path is not null)
        {
            context.Request.Headers["x-envoy-original-path"] = target.Path + target.Query;
        }

        var outgoing = new OutgoingRequest(
            location.EndPoints,
            path + target.Query,
            rewrite?.Hostname ?? context.Request.Host.Value ?? "",
            location.Http2 || action.IsGrpc,
            action.RequestTimeout,
            Shortest(action.BackendTimeout, action.Retry?.PerTryTimeout),
            action.Retry,
            [.. filters.Select(f => f.ResponseHeaderModifier).OfType<HeaderFilter>()],
            substitutions
        );
        var mirrors = action
            .Mirrors.Where(m => m.Target.IsValid && Random.Shared.Next(100) < m.Percent)
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
            Hostnames.FromHeader(context.Request.Host.Value ?? ""),
            port.Port,
            target.Path,
            target.Query,
            prefix
        );
        await AnswerAsync(context, redirect.StatusCode ?? StatusCodes.Status302Found).ConfigureAwait(false);
    }

    private static RequestFacts Facts(HttpContext context, RequestTarget target)
    {
        var request = context.Request;
        return new RequestFacts(
            Hostnames.FromHeader(request.Host.Value ?? ""),
            target.Path,
            request.Method,
            name => request.Headers.TryGetValue(name, out var values) ? string.Join(',', values.AsEnumerable()) : null,
            name => request.Query.TryGetValue(name, out var values) ? values[0] : null
        );
    }

    private static SubstitutionContext Substitutions(HttpContext context)
    {
        // Looked up in the request as it arrived, not as the filters have changed it.
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var host = context.Request.Host.Value;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        return new SubstitutionContext
        {
            RequestHeader = name =>
                name.ToUpperInvariant() switch
                {
                    ":AUTHORITY" => host,
                    ":PATH" => target,
                    ":METHOD" => context.Request.Method,
                    _ => headers.GetValueOrDefault(name),
                },
            Protocol = context.Request.Protocol,
            RemoteAddress = context.Connection.RemoteIpAddress?.ToString() ?? "",
            StartTime = DateTimeOffset.UtcNow,
        };
    }

    private static TimeSpan? Shortest(TimeSpan? one, TimeSpan? other) =>
        (one, other) switch
        {
            (null, _) => other,
            (_, null) => one,
            _ => one < other ? one : other,
        };

    private static async Task AnswerAsync(HttpContext context, int status, string body = "")
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
        {
            await GrpcStatus.AnswerAsync(context, status, body).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = status;
        if (body.Length > 0)
        {
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
