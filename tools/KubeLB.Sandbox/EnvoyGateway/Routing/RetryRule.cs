using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>Failures of an attempt without a response.</summary>
internal enum AttemptFailure
{
    /// <summary>The connection failed.</summary>
    ConnectFailure,

    /// <summary>The connection was established, but there was no response: disconnect, reset or timeout.</summary>
    Reset,
}

/// <summary>A retry policy as in Envoy.</summary>
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

    /// <summary>Maximum number of retries.</summary>
    public int NumRetries { get; init; } = 2;

    /// <summary>The retry triggers.</summary>
    public IReadOnlyCollection<string> Triggers { get; init; } = DefaultTriggers;

    /// <summary>Status codes of the trigger <c>retriable-status-codes</c>.</summary>
    public IReadOnlyCollection<int> StatusCodes { get; init; } = [(int)HttpStatusCode.ServiceUnavailable];

    /// <summary>Timeout of one attempt; null for none.</summary>
    public TimeSpan? PerTryTimeout { get; init; }

    /// <summary>Maximum of the first back-off.</summary>
    public TimeSpan BaseInterval { get; init; } = DefaultBase;

    /// <summary>Maximum of any back-off.</summary>
    public TimeSpan MaxInterval { get; init; } = DefaultBase * 10;

    /// <summary>The retry rule of a policy; null if it has no retries.</summary>
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
            Triggers = retry.RetryOn?.Triggers is { Count: > 0 } triggers ? triggers : DefaultTriggers,
            StatusCodes = retry.RetryOn is null ? [(int)HttpStatusCode.ServiceUnavailable] : retry.RetryOn.HttpStatusCodes ?? [],
            PerTryTimeout = Durations.Parse(retry.PerRetry?.Timeout),
            BaseInterval = first,
            MaxInterval = Durations.Parse(retry.PerRetry?.BackOff?.MaxInterval) ?? first * 10,
        };
    }

    /// <summary>The retry rule of an HTTPRoute's rule, which replaces that of a policy; null if it has none.</summary>
    public static RetryRule? OfRule(RouteRule rule)
    {
        if (rule is not HttpRouteRule || rule.Unknown?.GetValueOrDefault("retry") is not { ValueKind: JsonValueKind.Object } retry)
        {
            return null;
        }

        var codes =
            retry.TryGetProperty("codes", out var values) && values.ValueKind == JsonValueKind.Array
                ? values.EnumerateArray().Select(c => c.GetInt32()).ToList()
                : [];
        var backOff = retry.TryGetProperty("backoff", out var duration) ? duration.GetString() : null;
        return Of(
            new RetryPolicy
            {
                NumRetries = retry.TryGetProperty("attempts", out var attempts) && attempts.TryGetInt32(out var number) ? number : null,
                RetryOn = codes.Count == 0 ? null : new RetryOn { HttpStatusCodes = codes },
                PerRetry = backOff is null ? null : new PerRetryPolicy { BackOff = new BackOffPolicy { BaseInterval = backOff } },
            }
        );
    }

    /// <summary>Whether a response is retried.</summary>
    /// <param name="status">Its status code.</param>
    /// <param name="grpcStatus">The gRPC status in the headers of a trailers-only response; null if there is none.</param>
    public bool Retries(int status, string? grpcStatus) =>
        (status >= 500 && Triggers.Contains(RetryTriggers.Any5xx))
        || (status is 502 or 503 or 504 && Triggers.Contains(RetryTriggers.GatewayError))
        || (status == 409 && Triggers.Contains(RetryTriggers.Retriable4xx))
        || (Triggers.Contains(RetryTriggers.RetriableStatusCodes) && StatusCodes.Contains(status))
        || (grpcStatus is not null && Triggers.Any(t => GrpcStatuses.GetValueOrDefault(t) == grpcStatus));

    /// <summary>Whether a failure without response is retried: 5xx and gateway-error apply to the local reply.</summary>
    public bool Retries(AttemptFailure failure) =>
        Triggers.Any(t => t is RetryTriggers.Any5xx or RetryTriggers.GatewayError or RetryTriggers.Reset)
        || (
            failure == AttemptFailure.ConnectFailure
            && Triggers.Any(t => t is RetryTriggers.ConnectFailure or RetryTriggers.ResetBeforeRequest)
        );

    /// <summary>The back-off before a retry: exponential with full jitter.</summary>
    /// <param name="retry">Number of the retry, from 1.</param>
    /// <param name="draw">A random number from 0 (inclusive) to 1 (exclusive).</param>
    public TimeSpan Pause(int retry, double draw) =>
        Math.Min(BaseInterval.TotalMilliseconds * (Math.Pow(2, Math.Min(retry, 30)) - 1), MaxInterval.TotalMilliseconds) is var maximum
            ? TimeSpan.FromMilliseconds(maximum * draw)
            : default;
}

/// <summary>Gateway API durations such as <c>1h30m</c> or <c>500ms</c>.</summary>
/// <remarks>GEP-2257.</remarks>
internal static partial class Durations
{
    /// <summary>Parses a duration; null if it is absent, invalid or zero, which means no limit.</summary>
    public static TimeSpan? Parse(string? text)
    {
        if (text is null || !Whole().IsMatch(text))
        {
            return null;
        }

        var total = TimeSpan.Zero;
        foreach (var part in Part().EnumerateMatches(text))
        {
            var span = text.AsSpan(part.Index, part.Length);
            var digits = span.IndexOfAnyExceptInRange('0', '9');
            var number = int.Parse(span[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            total += span[digits..] switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMilliseconds(number),
            };
        }

        return total == TimeSpan.Zero ? null : total;
    }

    [GeneratedRegex("^([0-9]{1,5}(h|m|s|ms)){1,4}$")]
    private static partial Regex Whole();

    [GeneratedRegex("[0-9]+(ms|h|m|s)")]
    private static partial Regex Part();
}
