using System.Globalization;
using System.Net;
using k8s.Autorest;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>How long to wait after a request of list or watch has failed.</summary>
internal static class RetryDelay
{
    public static TimeSpan After(Exception failure, Backoff backoff, ReflectorSettings settings)
    {
        var cap = ApiOutage.Is(failure) ? settings.OutageBackoffCap : settings.BackoffCap;
        var delay = backoff.Next(cap);
        if (RetryAfter(failure) is not { } asked || asked <= delay)
        {
            return delay;
        }

        return asked < cap ? asked : cap;
    }

    // An API server that has too much to do says when to come back.
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
