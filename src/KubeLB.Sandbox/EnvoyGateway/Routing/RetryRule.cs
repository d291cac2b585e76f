using System.Net;
using KubeLB.Api.EnvoyGateway;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>How an attempt failed before there was an answer.</summary>
internal enum AttemptFailure
{
    /// <summary>No connection.</summary>
    ConnectFailure,

    /// <summary>The connection was there and no answer came: disconnect, reset, time-out.</summary>
    Reset,
}

/// <summary>When and how requests are tried again, as Envoy does it.</summary>
/// <remarks>https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on</remarks>
internal sealed record RetryRule
{
    private static readonly TimeSpan DefaultBase = TimeSpan.FromMilliseconds(25);
    private static readonly string[] DefaultTriggers =
    [
        RetryTriggers.ConnectFailure,
        RetryTriggers.RefusedStream,
        RetryTriggers.Unavailable,
        RetryTriggers.Cancelled,
        RetryTriggers.RetriableStatusCodes,
    ];

    private static readonly Dictionary<string, string> GrpcStatuses = new(StringComparer.Ordinal)
    {
        [RetryTriggers.Cancelled] = "1",
        [RetryTriggers.DeadlineExceeded] = "4",
        [RetryTriggers.ResourceExhausted] = "8",
        [RetryTriggers.Internal] = "13",
        [RetryTriggers.Unavailable] = "14",
    };

    /// <summary>How often a request is tried again at most.</summary>
    public int NumRetries { get; init; } = 2;

    /// <summary>What is retried.</summary>
    public IReadOnlyCollection<string> Triggers { get; init; } = DefaultTriggers;

    /// <summary>Status codes of the trigger <c>retriable-status-codes</c>.</summary>
    public IReadOnlyCollection<int> StatusCodes { get; init; } = [(int)HttpStatusCode.ServiceUnavailable];

    /// <summary>Time for one attempt; null for no limit of its own.</summary>
    public TimeSpan? PerTryTimeout { get; init; }

    /// <summary>The first pause at most.</summary>
    public TimeSpan BaseInterval { get; init; } = DefaultBase;

    /// <summary>Any pause at most.</summary>
    public TimeSpan MaxInterval { get; init; } = DefaultBase * 10;

    /// <summary>The rule of a policy; null if it asks for no retries.</summary>
    public static RetryRule? Of(RetryPolicy? retry)
    {
        if (retry is null)
        {
            return null;
        }

        var first = Durations.Parse(retry.PerRetry?.BackOff?.BaseInterval) ?? DefaultBase;
        return new RetryRule
        {
            NumRetries = retry.NumRetries ?? 2,
            Triggers = retry.RetryOn is null ? DefaultTriggers : retry.RetryOn.Triggers ?? [],
            StatusCodes = retry.RetryOn is null ? [(int)HttpStatusCode.ServiceUnavailable] : retry.RetryOn.HttpStatusCodes ?? [],
            PerTryTimeout = Durations.Parse(retry.PerRetry?.Timeout),
            BaseInterval = first,
            MaxInterval = Durations.Parse(retry.PerRetry?.BackOff?.MaxInterval) ?? first * 10,
        };
    }

    /// <summary>Whether an answer is not good enough.</summary>
    /// <param name="status">Its status code.</param>
    /// <param name="grpcStatus">gRPC's status where it is among the headers, as in an answer that has nothing else; null if not.</param>
    public bool Retries(int status, string? grpcStatus) =>
        (status >= 500 && Triggers.Contains(RetryTriggers.Any5xx))
        || (status is 502 or 503 or 504 && Triggers.Contains(RetryTriggers.GatewayError))
        || (status == 409 && Triggers.Contains(RetryTriggers.Retriable4xx))
        || (Triggers.Contains(RetryTriggers.RetriableStatusCodes) && StatusCodes.Contains(status))
        || (grpcStatus is not null && Triggers.Any(t => GrpcStatuses.GetValueOrDefault(t) == grpcStatus));

    /// <summary>
    /// Whether a failure is one that is tried again: without an answer, 5xx and gateway-error stand for what the client would get.
    /// </summary>
    public bool Retries(AttemptFailure failure) =>
        Triggers.Any(t => t is RetryTriggers.Any5xx or RetryTriggers.GatewayError or RetryTriggers.Reset)
        || (
            failure == AttemptFailure.ConnectFailure
            && Triggers.Any(t => t is RetryTriggers.ConnectFailure or RetryTriggers.ResetBeforeRequest)
        );

    /// <summary>The pause before a retry: exponential with full jitter.</summary>
    /// <param name="retry">Which retry, from 1.</param>
    /// <param name="draw">A random number from 0 (inclusive) to 1 (exclusive).</param>
    public TimeSpan Pause(int retry, double draw) =>
        Math.Min(BaseInterval.TotalMilliseconds * (Math.Pow(2, Math.Min(retry, 30)) - 1), MaxInterval.TotalMilliseconds) is var most
            ? TimeSpan.FromMilliseconds(most * draw)
            : default;
}
