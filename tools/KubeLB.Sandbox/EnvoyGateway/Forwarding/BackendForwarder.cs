using System.Diagnostics;
using System.Net;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Forwards requests to backends, and their responses to the client.</summary>
internal sealed class BackendForwarder : IDisposable
{
    private static readonly TimeSpan NoLimit = TimeSpan.FromHours(1);

    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private readonly IHttpForwarder _forwarder;
    private readonly RequestMirror _mirror;

    // One connection per request: the next hops balance by connection, so this distributes requests over all pods.
    private readonly HttpMessageInvoker _client = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        }
    );

    /// <summary>Creates the forwarder.</summary>
    public BackendForwarder()
    {
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
        _mirror = new RequestMirror(_client);
    }

    /// <summary>Sends a request to its backend, and copies to the mirrors.</summary>
    public async Task ForwardAsync(HttpContext context, OutgoingRequest request, IReadOnlyList<IPEndPoint> mirrors)
    {
        if (mirrors.Count > 0)
        {
            await _mirror.CopyAsync(context, request, mirrors).ConfigureAwait(false);
        }

        using var timeout = new CancellationTokenSource();
        if (request.Timeout is { } limit)
        {
            timeout.CancelAfter(limit);
        }

        if (request.Retry is not null)
        {
            // The body is buffered until the last attempt.
            context.Request.EnableBuffering(64 * 1024);
        }

        for (var attempt = 1; ; attempt++)
        {
            var retry = attempt <= request.Retry?.NumRetries ? request.Retry : null;
            var (isDone, timedOut) = await AttemptAsync(context, request, attempt, retry, timeout.Token).ConfigureAwait(false);
            if (isDone)
            {
                return;
            }

            if (
                retry is null
                || timeout.IsCancellationRequested
                || !await PauseAsync(retry, attempt, timeout.Token, context.RequestAborted).ConfigureAwait(false)
            )
            {
                await RespondAsync(context, timedOut || timeout.IsCancellationRequested).ConfigureAwait(false);
                return;
            }

            context.Response.Clear();
            context.Request.Body.Position = 0;
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _services.Dispose();
    }

    /// <summary>The URI with unchanged path and query, including encoded slashes and dots.</summary>
    internal static Uri RawUri(OutgoingRequest request, int attempt) =>
        new(
            $"http://{request.EndPointOf(attempt)}{request.PathAndQuery}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );

    /// <summary>One attempt.</summary>
    /// <returns>Whether the response was sent, and otherwise whether the attempt timed out.</returns>
    private async Task<(bool IsDone, bool TimedOut)> AttemptAsync(
        HttpContext context,
        OutgoingRequest request,
        int attempt,
        RetryRule? retry,
        CancellationToken overall
    )
    {
        context.Features.Get<RequestTrace>()?.Forwarded(request.EndPointOf(attempt), attempt);
        var transformer = new AttemptTransformer(request, attempt, retry);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(overall);
        if (request.AttemptTimeout is { } limit)
        {
            timeout.CancelAfter(limit);
        }

        var config = new ForwarderRequestConfig
        {
            Version = request.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = NoLimit,
        };
        var error = await _forwarder
            .SendAsync(context, $"http://{request.EndPointOf(attempt)}", _client, config, transformer, timeout.Token)
            .ConfigureAwait(false);
        if (transformer.IsDiscarded && !context.Response.HasStarted)
        {
            return (false, false);
        }

        if (error == ForwarderError.None || context.Response.HasStarted)
        {
            return (true, false);
        }

        var timedOut = timeout.IsCancellationRequested;
        if (!context.RequestAborted.IsCancellationRequested && retry?.Retries(FailureOf(context, timedOut)) == true)
        {
            return (false, timedOut);
        }

        await RespondAsync(context, timedOut).ConfigureAwait(false);
        return (true, timedOut);
    }

    private static AttemptFailure FailureOf(HttpContext context, bool timedOut) =>
        !timedOut
        && context.Features.Get<IForwarderErrorFeature>()?.Exception
            is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }
            ? AttemptFailure.ConnectFailure
            : AttemptFailure.Reset;

    private static async Task<bool> PauseAsync(RetryRule retry, int attempt, CancellationToken timeout, CancellationToken aborted)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout, aborted);
        await Task.Delay(retry.Pause(attempt, Random.Shared.NextDouble()), either.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !either.IsCancellationRequested;
    }

    private static async Task RespondAsync(HttpContext context, bool timedOut)
    {
        var (status, text) = timedOut
            ? (StatusCodes.Status504GatewayTimeout, "upstream request timeout")
            : (
                StatusCodes.Status503ServiceUnavailable,
                "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
            );
        context.Response.Clear();
        context.Features.Get<RequestTrace>()?.AnsweredByGateway(timedOut ? "timeout" : "connection failure");
        await LocalReply.RespondAsync(context, status, text).ConfigureAwait(false);
    }
}

/// <summary>Transforms the request and response of one attempt, or discards the response for a retry.</summary>
/// <param name="outgoing">The request.</param>
/// <param name="attempt">Number of the attempt, from 1.</param>
/// <param name="retry">The retry rule; null if this is the last attempt.</param>
internal sealed class AttemptTransformer(OutgoingRequest outgoing, int attempt, RetryRule? retry) : HttpTransformer
{
    private const string AttemptCount = "x-envoy-attempt-count";
    private const string GrpcStatusHeader = "grpc-status";

    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Whether the response was discarded for a retry.</summary>
    public bool IsDiscarded { get; private set; }

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext,
        HttpRequestMessage proxyRequest,
        string destinationPrefix,
        CancellationToken cancellationToken
    )
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
        proxyRequest.RequestUri = BackendForwarder.RawUri(outgoing, attempt);
        proxyRequest.Headers.Host = outgoing.Host;
        if (outgoing.Retry is not null)
        {
            proxyRequest.Headers.Remove(AttemptCount);
            proxyRequest.Headers.TryAddWithoutValidation(AttemptCount, $"{attempt}");
        }
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext,
        HttpResponseMessage? proxyResponse,
        CancellationToken cancellationToken
    )
    {
        if (proxyResponse is not null && retry?.Retries((int)proxyResponse.StatusCode, GrpcStatusOf(proxyResponse)) == true)
        {
            IsDiscarded = true;
            return false;
        }

        var copied = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken).ConfigureAwait(false);
        var response = httpContext.Response;
        var substitutions = outgoing.Substitutions with
        {
            ResponseDuration = (long)Stopwatch.GetElapsedTime(_start).TotalMilliseconds,
            ResponseCode = response.StatusCode,
            ResponseHeader = name => response.Headers.TryGetValue(name, out var value) ? value.ToString() : null,
        };
        HeaderChanges.Apply(response.Headers, outgoing.ResponseFilters, substitutions);
        outgoing.Session?.SetOn(response, outgoing.EndPointOf(attempt));
        return copied;
    }

    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext,
        HttpResponseMessage proxyResponse,
        CancellationToken cancellationToken
    ) => IsDiscarded ? ValueTask.CompletedTask : base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);

    private static string? GrpcStatusOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(GrpcStatusHeader, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>A request to a backend.</summary>
/// <param name="EndPoints">The endpoints: each attempt uses the next one, because Envoy Gateway's retries avoid previous hosts.</param>
/// <param name="PathAndQuery">Path and query, undecoded.</param>
/// <param name="Host">Host header.</param>
/// <param name="Http2">Whether to use HTTP/2.</param>
/// <param name="Timeout">Timeout of the complete response, including all attempts; null for none.</param>
/// <param name="AttemptTimeout">Timeout of one attempt; null for none.</param>
/// <param name="Retry">The retry rule; null for no retries.</param>
/// <param name="ResponseFilters">Response header filters.</param>
/// <param name="Substitutions">Values for substitutions in those filters.</param>
internal sealed record OutgoingRequest(
    IReadOnlyList<IPEndPoint> EndPoints,
    string PathAndQuery,
    string Host,
    bool Http2,
    TimeSpan? Timeout,
    TimeSpan? AttemptTimeout,
    RetryRule? Retry,
    IReadOnlyList<HeaderFilter> ResponseFilters,
    SubstitutionContext Substitutions
)
{
    /// <summary>The session persistence; null for none.</summary>
    public Session? Session { get; init; }

    /// <summary>The endpoint of an attempt.</summary>
    /// <param name="attempt">Number of the attempt, from 1.</param>
    public IPEndPoint EndPointOf(int attempt) => EndPoints[(attempt - 1) % EndPoints.Count];
}

/// <summary>The current location of a backend.</summary>
/// <param name="Exists">Whether the Service and its port exist; if not, the response is 500.</param>
/// <param name="EndPoints">Its endpoints in order of preference; without endpoints the response is 503.</param>
/// <param name="Http2">Whether the appProtocol of the port is HTTP/2 without TLS.</param>
internal sealed record BackendLocation(bool Exists, IReadOnlyList<IPEndPoint> EndPoints, bool Http2)
{
    /// <summary>The Service or port does not exist.</summary>
    public static BackendLocation Missing { get; } = new(false, [], false);
}

/// <summary>Resolves backends.</summary>
internal interface IBackendDirectory
{
    /// <summary>The current location of a backend.</summary>
    BackendLocation Find(BackendTarget backend);
}
