using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubeLB.Sandbox.Activity;

/// <summary>
/// Follows each request from a Gateway to the pod: the pods find it by its <c>x-request-id</c>, which tenant proxies do not change.
/// </summary>
/// <param name="completed">Receives each request after its response.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestTraces(Action<GatewayAccess> completed, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, RequestHops> _open = new(StringComparer.Ordinal);

    /// <summary>Resolves the name of a tenant proxy.</summary>
    public Func<IPEndPoint, string?> ProxyName { get; set; } = _ => null;

    /// <summary>Middleware of the Gateways.</summary>
    public async Task FollowAsync(HttpContext context, RequestDelegate serve)
    {
        var port = (GatewayPort)context.Features.Get<HttpServerListener>()!.Owner;
        var target = RequestTarget.Of(context);
        var access = new GatewayAccess
        {
            Time = time.GetUtcNow(),
            Method = context.Request.Method,
            Url = $"{(port.IsHttps ? "https" : "http")}://{context.Request.Host.Value}{target.Path}{target.Query}",
            Gateway = new IPEndPoint(context.Connection.LocalIpAddress ?? IPAddress.None, port.Port),
        };
        var trace = new RequestTrace(this, access.Hops);
        context.Features.Set(trace);
        var start = Stopwatch.GetTimestamp();
        try
        {
            await serve(context).ConfigureAwait(false);
        }
        finally
        {
            trace.End();
            if (access.Hops.Proxy is { } proxy)
            {
                access.Hops.ProxyName = ProxyName(proxy);
            }

            var isAborted = context.RequestAborted.IsCancellationRequested;
            if (isAborted)
            {
                access.Hops.Cause = "the client closed the connection";
            }

            completed(
                access with
                {
                    Status = isAborted ? 0 : context.Response.StatusCode,
                    GrpcStatus = GrpcStatusOf(context),
                    Duration = Stopwatch.GetElapsedTime(start),
                }
            );
        }
    }

    /// <summary>Adds the pod that serves a request, and the node port that it used.</summary>
    public void Reached(HttpContext context, EchoPort port, ForwardedConnections nodePorts)
    {
        // A filter can add values to the header. Mirrored requests have the header of the original.
        var id = context.Request.Headers["x-request-id"].ToString().Split(',')[0];
        if (!_open.TryGetValue(id, out var hops) || RequestMirror.IsShadow(context.Request.Host.Value ?? ""))
        {
            return;
        }

        var client = new IPEndPoint(context.Connection.RemoteIpAddress ?? IPAddress.None, context.Connection.RemotePort);
        hops.Pod = $"{port.Pod.Namespace}/{port.Pod.Name}:{port.Port}";
        hops.NodePort = nodePorts.ForwarderOf(client);
    }

    internal void Open(string id, RequestHops hops) => _open[id] = hops;

    internal void Close(string id, RequestHops hops) => _open.TryRemove(KeyValuePair.Create(id, hops));

    private static string? GrpcStatusOf(HttpContext context)
    {
        const string name = "grpc-status";
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        return context.Response.Headers.TryGetValue(name, out var status) ? status.ToString()
            : trailers?.TryGetValue(name, out status) == true ? status.ToString()
            : null;
    }
}

/// <summary>The trace of one request, a feature of its context.</summary>
internal sealed class RequestTrace(RequestTraces traces, RequestHops hops)
{
    private string? _id;

    /// <summary>Makes the request known to the pods.</summary>
    /// <param name="id">Its <c>x-request-id</c>.</param>
    public void Identify(string id)
    {
        _id = id.Split(',')[0];
        traces.Open(_id, hops);
    }

    /// <summary>Sets the reason why the Gateway itself responds.</summary>
    public void AnsweredByGateway(string cause) => hops.Cause = cause;

    /// <summary>Sets the proxy of an attempt.</summary>
    /// <param name="proxy">The end point of the proxy.</param>
    /// <param name="attempt">Number of the attempt, from 1.</param>
    public void Forwarded(IPEndPoint proxy, int attempt)
    {
        hops.Proxy = proxy;
        hops.Attempts = attempt;
        (hops.Pod, hops.NodePort) = (null, null);
    }

    /// <summary>Ends the trace.</summary>
    internal void End()
    {
        if (_id is not null)
        {
            traces.Close(_id, hops);
        }
    }
}
