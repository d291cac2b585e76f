using System.Diagnostics;
using KubeLB.Sandbox.EnvoyGateway.Filtering;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Changes one attempt's request and its answer, or keeps the answer back to try again.</summary>
/// <param name="outgoing">The request.</param>
/// <param name="attempt">Which attempt, from 1.</param>
/// <param name="retry">What is tried again; null if this attempt is the last.</param>
internal sealed class AnswerTransformer(OutgoingRequest outgoing, int attempt, RetryRule? retry) : HttpTransformer
{
    private const string AttemptCount = "x-envoy-attempt-count";
    private const string GrpcStatusHeader = "grpc-status";

    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Whether there was an answer that the client shall not see.</summary>
    public bool Withheld { get; private set; }

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext,
        HttpResponseMessage? proxyResponse,
        CancellationToken cancellationToken
    )
    {
        if (proxyResponse is not null && retry?.Retries((int)proxyResponse.StatusCode, GrpcStatusOf(proxyResponse)) == true)
        {
            Withheld = true;
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
        return copied;
    }

    /// <inheritdoc/>
    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext,
        HttpResponseMessage proxyResponse,
        CancellationToken cancellationToken
    ) => Withheld ? ValueTask.CompletedTask : base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);

    private static string? GrpcStatusOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(GrpcStatusHeader, out var values) ? values.FirstOrDefault() : null;
}
