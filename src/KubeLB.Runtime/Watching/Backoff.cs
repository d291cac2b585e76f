using System.Globalization;
using System.Net;
using k8s.Autorest;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Exponential backoff with full jitter: the n-th consecutive delay is uniformly distributed from zero to base · 2ⁿ, so that many watches
/// of one API server are not retried at the same time.
/// </summary>
internal sealed class Backoff(TimeSpan baseDelay, Func<double> random)
{
    private int _failures;

    /// <summary>The next delay. A failure whose delay reaches the cap does not increase later delays.</summary>
    /// <param name="cap">The maximum delay for this failure.</param>
    public TimeSpan Next(TimeSpan cap)
    {
        var ceiling = baseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30));
        if (ceiling < cap.TotalMilliseconds)
        {
            _failures++;
        }

        return TimeSpan.FromMilliseconds(Math.Min(ceiling, cap.TotalMilliseconds) * random());
    }

    public void Reset() => _failures = 0;
}

/// <summary>The delay after a failed list or watch request.</summary>
internal static class RetryDelay
{
    public static TimeSpan After(Exception failure, Backoff backoff, ReflectorSettings settings)
    {
        var cap = ApiOutage.IsOutage(failure) ? settings.OutageBackoffCap : settings.BackoffCap;
        var delay = backoff.Next(cap);
        if (RetryAfter(failure) is not { } requested || requested <= delay)
        {
            return delay;
        }

        return requested < cap ? requested : cap;
    }

    // An overloaded API server sends a Retry-After header.
    private static TimeSpan? RetryAfter(Exception failure) =>
        failure
            is HttpOperationException
            {
                Response: { StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable } response
            }
        && response.Headers.FirstOrDefault(h => h.Key.Equals("Retry-After", StringComparison.OrdinalIgnoreCase)).Value?.FirstOrDefault()
            is { } text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;
}

/// <summary>Limits of list and watch. The defaults are those of client-go, if it has an equivalent setting.</summary>
internal sealed record ReflectorSettings
{
    public int PageSize { get; init; } = 500;

    /// <summary>The minimum of <c>timeoutSeconds</c> of a watch. The value is random, so that watches spread over API servers.</summary>
    public TimeSpan MinWatchDuration { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The maximum of <c>timeoutSeconds</c> of a watch.</summary>
    public TimeSpan MaxWatchDuration { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The time after <c>timeoutSeconds</c> at which a watch that has not ended is cancelled, because its connection is dead.
    /// </summary>
    public TimeSpan WatchGrace { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan BackoffCap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The maximum delay while the API server is unavailable; see <see cref="ApiOutage"/>.</summary>
    public TimeSpan OutageBackoffCap { get; init; } = ApiOutage.MaxRetryDelay;

    /// <summary>The number of consecutive watch failures after which a complete list is read.</summary>
    public int WatchFailuresBeforeList { get; init; } = 5;

    /// <summary>The time within which a watch event must update a stale object; see <see cref="StaleKeys"/>.</summary>
    public TimeSpan StaleKeyGracePeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The minimum time between a list and a relist that a stale object requires.</summary>
    public TimeSpan MinRelistInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The delay of the first retry for an optional kind that is not served; doubles with each retry.</summary>
    public TimeSpan NotServedRetryInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The maximum delay of a retry for an optional kind that is not served.</summary>
    public TimeSpan MaxNotServedRetryInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Numbers from 0 (inclusive) to 1 (exclusive).</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;
}
