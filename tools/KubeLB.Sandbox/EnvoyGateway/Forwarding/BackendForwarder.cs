using System.Net;
using KubeLB.Sandbox.EnvoyGateway.Routing;
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

    /// <summary>Sends a request to its backend, and copies of it to others whose answers are ignored.</summary>
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
            // What was read of the body is kept until the last attempt.
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
                await AnswerAsync(context, timedOut || timeout.IsCancellationRequested).ConfigureAwait(false);
                return;
            }

            context.Response.Clear();
            context.Request.Body.Position = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _services.Dispose();
    }

    /// <summary>The URI with path and query exactly as they are, encoded slashes and dots included.</summary>
    internal static Uri RawUri(OutgoingRequest request, int attempt) =>
        new(
            $"http://{request.EndPointOf(attempt)}{request.PathAndQuery}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );

    /// <summary>One attempt.</summary>
    /// <returns>Whether the client has its answer, and whether time was up if it has not.</returns>
    private async Task<(bool IsDone, bool TimedOut)> AttemptAsync(
        HttpContext context,
        OutgoingRequest request,
        int attempt,
        RetryRule? retry,
        CancellationToken overall
    )
    {
        var transformer = new AnswerTransformer(request, attempt, retry);
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
        if (transformer.Withheld && !context.Response.HasStarted)
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

        await AnswerAsync(context, timedOut).ConfigureAwait(false);
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

    private static async Task AnswerAsync(HttpContext context, bool timedOut)
    {
        var (status, text) = timedOut
            ? (StatusCodes.Status504GatewayTimeout, "upstream request timeout")
            : (
                StatusCodes.Status503ServiceUnavailable,
                "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
            );
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
}
