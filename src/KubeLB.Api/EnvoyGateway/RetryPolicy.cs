namespace KubeLB.Api.EnvoyGateway;

/// <summary>Retries of a <see cref="BackendTrafficPolicy"/>.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#retry</remarks>
public sealed class RetryPolicy : Extensible
{
    /// <summary>How often a request is tried again at most, 0 and above; 2 if absent.</summary>
    public int? NumRetries { get; set; }

    /// <summary>What is retried; connect-failure, refused-stream, unavailable, cancelled and status 503 if absent.</summary>
    public RetryOn? RetryOn { get; set; }

    /// <summary>Settings of each attempt.</summary>
    public PerRetryPolicy? PerRetry { get; set; }
}

/// <summary>What is retried.</summary>
public sealed class RetryOn : Extensible
{
    /// <summary>Words of <see cref="RetryTriggers"/>.</summary>
    public List<string>? Triggers { get; set; }

    /// <summary>Status codes, 100-599, for the trigger <see cref="RetryTriggers.RetriableStatusCodes"/>.</summary>
    public List<int>? HttpStatusCodes { get; set; }
}

/// <summary>Settings of each attempt.</summary>
public sealed class PerRetryPolicy : Extensible
{
    /// <summary>Time for one attempt, a Gateway API duration; no limit of its own if absent.</summary>
    public string? Timeout { get; set; }

    /// <summary>Pauses between attempts; 25ms and ten times that if absent.</summary>
    public BackOffPolicy? BackOff { get; set; }
}

/// <summary>Fully jittered exponential pauses between attempts.</summary>
public sealed class BackOffPolicy : Extensible
{
    /// <summary>The first pause at most, a Gateway API duration above zero.</summary>
    public string? BaseInterval { get; set; }

    /// <summary>
    /// Any pause at most, a Gateway API duration; ten times <see cref="BaseInterval"/> if absent, and never less than it.
    /// </summary>
    public string? MaxInterval { get; set; }
}

/// <summary>What Envoy Gateway can retry on.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#triggerenum</remarks>
public static class RetryTriggers
{
    /// <summary>Any status of 500 and above, and whatever <c>reset</c>, <c>connect-failure</c> and <c>refused-stream</c> cover.</summary>
    public const string Any5xx = "5xx";

    /// <summary>Status 502, 503 and 504.</summary>
    public const string GatewayError = "gateway-error";

    /// <summary>No answer at all: disconnect, reset, time-out.</summary>
    public const string Reset = "reset";

    /// <summary>As <see cref="Reset"/>, before the request was sent.</summary>
    public const string ResetBeforeRequest = "reset-before-request";

    /// <summary>No connection.</summary>
    public const string ConnectFailure = "connect-failure";

    /// <summary>Status 409.</summary>
    public const string Retriable4xx = "retriable-4xx";

    /// <summary>The backend refused the stream.</summary>
    public const string DeniedStream = "refused-stream";

    /// <summary>The status codes that are listed.</summary>
    public const string RetriableStatusCodes = "retriable-status-codes";

    /// <summary>gRPC status CANCELLED.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>gRPC status DEADLINE_EXCEEDED.</summary>
    public const string DeadlineExceeded = "deadline-exceeded";

    /// <summary>gRPC status INTERNAL.</summary>
    public const string Internal = "internal";

    /// <summary>gRPC status RESOURCE_EXHAUSTED.</summary>
    public const string ResourceExhausted = "resource-exhausted";

    /// <summary>gRPC status UNAVAILABLE.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>All of them, in the order of Envoy Gateway's documentation.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Any5xx,
        GatewayError,
        Reset,
        ResetBeforeRequest,
        ConnectFailure,
        Retriable4xx,
        DeniedStream,
        RetriableStatusCodes,
        Cancelled,
        DeadlineExceeded,
        Internal,
        ResourceExhausted,
        Unavailable,
    ];
}
