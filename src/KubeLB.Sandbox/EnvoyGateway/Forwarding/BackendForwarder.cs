using System.Diagnostics;
using System.Net;
using KubeLB.Sandbox.EnvoyGateway.Filtering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Sends requests to backends and their answers back.</summary>
internal sealed class BackendForwarder : IDisposable
{
    private static readonly TimeSpan NoLimit = TimeSpan.FromHours(1);

    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private readonly IHttpForwarder _forwarder;
    private readonly RequestMirror _mirror;

    // A connection per request: the hops behind balance by connection, and users want to see all pods take their turn.
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectTimeout = TimeSpan.FromSeconds(10),
    });

    /// <summary>Creates the forwarder.</summary>
    public BackendForwarder()
    {
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
        _mirror = new RequestMirror(_client);
    }

    /// <summary>Sends a request to its backend, and copies of it to others whose answers are ignored.</summary>
    public async Task ForwardAsync(HttpContext context, OutgoingRequest request, IReadOnlyList<IPEndPoint> mirrors)
    {
        if (mirrors.Count > 0)
        {
            await _mirror.CopyAsync(context, request, mirrors).ConfigureAwait(false);
        }

        var config = new ForwarderRequestConfig
        {
            Version = request.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = NoLimit,
        };
        using var timeout = new CancellationTokenSource();
        if (request.Timeout is { } limit)
        {
            timeout.CancelAfter(limit);
        }

        var error = await _forwarder.SendAsync(
            context, $"http://{request.EndPoint}", _client, config, new Transformer(request), timeout.Token).ConfigureAwait(false);
        if (error == ForwarderError.None || context.Response.HasStarted)
        {
            return;
        }

        var (status, text) = timeout.IsCancellationRequested
            ? (StatusCodes.Status504GatewayTimeout, "upstream request timeout")
            : (StatusCodes.Status503ServiceUnavailable, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
        context.Response.Clear();
        context.Response.StatusCode = status;
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
        {
            await GrpcStatus.AnswerAsync(context, status, text).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(text, CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _services.Dispose();
    }

    private sealed class Transformer(OutgoingRequest outgoing) : HttpTransformer
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
            proxyRequest.RequestUri = RawUri(outgoing);
            proxyRequest.Headers.Host = outgoing.Host;
        }

        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            var copied = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken).ConfigureAwait(false);
            var response = httpContext.Response;
            var substitutions = outgoing.Substitutions with
            {
                ResponseDuration = (long)Stopwatch.GetElapsedTime(_start).TotalMilliseconds,
                ResponseCode = response.StatusCode,
                ResponseHeader = name => response.Headers.TryGetValue(name, out var value) ? value.ToString() : null,
            };
            HeaderChanges.Apply(response.Headers, outgoing.ResponseFilters, substitutions);
            return copied;
        }
    }

    /// <summary>The URI with path and query exactly as they are, encoded slashes and dots included.</summary>
    internal static Uri RawUri(OutgoingRequest request) =>
        new($"http://{request.EndPoint}{request.PathAndQuery}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
}
