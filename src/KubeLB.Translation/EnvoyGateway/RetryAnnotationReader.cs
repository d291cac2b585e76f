using System.Globalization;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Parses and validates the retry annotations of a tenant's route completely, so that Envoy Gateway accepts the result.
/// </summary>
internal static class RetryAnnotationReader
{
    // An annotation may be as long as 256 KiB, so messages quote only its beginning.
    private const int MaxQuoteLength = 80;

    /// <summary>Reads the annotations.</summary>
    /// <param name="annotations">The annotations of the route.</param>
    /// <param name="maxRetries">The maximum number of retries.</param>
    /// <returns>
    /// The policy; or the problems of all invalid annotations; or neither if there are no annotations.
    /// </returns>
    public static (RetryPolicy? Policy, string? Problem) Read(IDictionary<string, string>? annotations, int maxRetries)
    {
        var problems = new List<string>();
        var retryOn = Value(annotations, RetryAnnotations.RetryOn) is { } triggers ? ReadRetryOn(triggers, problems) : null;
        var numRetries = Value(annotations, RetryAnnotations.NumRetries) is { } number
            ? ReadNumRetries(number, maxRetries, problems)
            : null;
        var timeout = Duration(annotations, RetryAnnotations.PerTryTimeout, problems);
        var baseInterval = Duration(annotations, RetryAnnotations.BackOffBaseInterval, problems);
        var maxInterval = Duration(annotations, RetryAnnotations.BackOffMaxInterval, problems);
        CheckIntervals(annotations, baseInterval, maxInterval, problems);
        if (problems.Count > 0)
        {
            return (null, string.Join(" ", problems));
        }

        var backOff = baseInterval is null ? null : new BackOffPolicy { BaseInterval = baseInterval.Text, MaxInterval = maxInterval?.Text };
        return retryOn is null && numRetries is null && timeout is null && backOff is null
            ? (null, null)
            : (
                new RetryPolicy
                {
                    NumRetries = numRetries,
                    RetryOn = retryOn,
                    PerRetry =
                        timeout is null && backOff is null ? null : new PerRetryPolicy { Timeout = timeout?.Text, BackOff = backOff },
                },
                null
            );
    }

    private static RetryOn? ReadRetryOn(string value, List<string> problems)
    {
        var triggers = new List<string>();
        var codes = new List<int>();
        foreach (var entry in value.Split(',').Select(e => e.Trim()))
        {
            if (RetryTriggers.All.Contains(entry))
            {
                triggers.Add(entry);
            }
            else if (
                entry.Length == 3
                && entry.All(char.IsAsciiDigit)
                && int.Parse(entry, NumberStyles.None, CultureInfo.InvariantCulture) is >= 100 and <= 599 and var code
            )
            {
                codes.Add(code);
            }
            else
            {
                problems.Add(RouteMessages.InvalidRetryOn(Quote(entry)));
                return null;
            }
        }

        // Without this trigger Envoy ignores the status codes.
        if (codes.Count > 0)
        {
            triggers.Add(RetryTriggers.RetriableStatusCodes);
        }

        return new RetryOn { Triggers = [.. triggers.Distinct()], HttpStatusCodes = codes.Count > 0 ? [.. codes.Distinct()] : null };
    }

    // Each retry occupies the shared proxies of Envoy Gateway again.
    private static int? ReadNumRetries(string value, int maximum, List<string> problems)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= maximum)
        {
            return number;
        }

        problems.Add(
            value.Length > 0 && value.All(char.IsAsciiDigit)
                ? RouteMessages.TooManyRetries(Quote(value), maximum)
                : RouteMessages.InvalidNumRetries(Quote(value), maximum)
        );
        return null;
    }

    private static AnnotationDuration? Duration(IDictionary<string, string>? annotations, string key, List<string> problems)
    {
        if (Value(annotations, key) is not { } value)
        {
            return null;
        }

        if (GatewayDuration.Parse(value) is { } duration)
        {
            return new AnnotationDuration(value, duration);
        }

        problems.Add(RouteMessages.InvalidRetryDuration(key, Quote(value)));
        return null;
    }

    // Envoy rejects a configuration that violates one of these rules, including all other routes of the Gateway.
    private static void CheckIntervals(
        IDictionary<string, string>? annotations,
        AnnotationDuration? baseInterval,
        AnnotationDuration? maxInterval,
        List<string> problems
    )
    {
        if (baseInterval?.Value == TimeSpan.Zero)
        {
            problems.Add(RouteMessages.BaseIntervalZero(baseInterval.Text));
        }
        else if (maxInterval is not null && Value(annotations, RetryAnnotations.BackOffBaseInterval) is null)
        {
            problems.Add(RouteMessages.MaxIntervalWithoutBase(maxInterval.Text));
        }
        else if (baseInterval is not null && maxInterval is not null && baseInterval.Value > maxInterval.Value)
        {
            problems.Add(RouteMessages.MaxIntervalTooShort(maxInterval.Text, baseInterval.Text));
        }
    }

    private static string? Value(IDictionary<string, string>? annotations, string key) =>
        annotations?.TryGetValue(key, out var value) == true ? (value ?? "").Trim() : null;

    private static string Quote(string value) => MessageText.Quote(value, MaxQuoteLength);

    private sealed record AnnotationDuration(string Text, TimeSpan Value);
}
