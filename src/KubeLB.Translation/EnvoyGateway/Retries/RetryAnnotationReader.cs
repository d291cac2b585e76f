using System.Globalization;
using KubeLB.Api.EnvoyGateway;

namespace KubeLB.Translation.EnvoyGateway.Retries;

/// <summary>
/// Reads the retry annotations of a tenant's route: the whole grammar of their values, so that Envoy Gateway never sees one that it would
/// not take.
/// </summary>
internal static class RetryAnnotationReader
{
    /// <summary>An annotation may hold 256 KiB; a sentence about it should not.</summary>
    private const int LongestQuotation = 80;

    private const string DurationGrammar =
        "is not a Gateway API duration: write one to four whole numbers of at most five digits with the units h, m, s and ms, such "
        + "as 500ms, 2s or 1m30s; fractions, signs and other units are not allowed";

    /// <summary>Reads them all.</summary>
    /// <returns>
    /// The policy and no problem; or no policy and a sentence for each value that is wrong; or neither if nothing is asked for.
    /// </returns>
    public static (RetryPolicy? Policy, string? Problem) Read(IDictionary<string, string>? annotations)
    {
        var problems = new List<string>();
        var retryOn = Value(annotations, RetryAnnotations.RetryOn) is { } triggers ? ReadRetryOn(triggers, problems) : null;
        var numRetries = Value(annotations, RetryAnnotations.NumRetries) is { } number ? ReadNumRetries(number, problems) : null;
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
                problems.Add(
                    $"{Quoted(RetryAnnotations.RetryOn, value)}: {(entry.Length == 0 ? "an entry of the list is empty" : $"{Cut(entry)} is not known")}; "
                        + $"allowed are, separated by commas, {string.Join(", ", RetryTriggers.All)}, and status codes from 100 to 599."
                );
                return null;
            }
        }

        // Envoy looks at the codes only if it is told to.
        if (codes.Count > 0)
        {
            triggers.Add(RetryTriggers.RetriableStatusCodes);
        }

        return new RetryOn { Triggers = [.. triggers.Distinct()], HttpStatusCodes = codes.Count > 0 ? [.. codes.Distinct()] : null };
    }

    private static int? ReadNumRetries(string value, List<string> problems)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        problems.Add(
            $"{Quoted(RetryAnnotations.NumRetries, value)} is not allowed; write a whole number from 0 to "
                + $"{int.MaxValue.ToString(CultureInfo.InvariantCulture)}."
        );
        return null;
    }

    private static ReadDuration? Duration(IDictionary<string, string>? annotations, string key, List<string> problems)
    {
        if (Value(annotations, key) is not { } value)
        {
            return null;
        }

        if (GatewayDuration.Parse(value) is { } duration)
        {
            return new ReadDuration(value, duration);
        }

        problems.Add($"{Quoted(key, value)} {DurationGrammar}.");
        return null;
    }

    // Envoy does not take a configuration that breaks one of these rules, and with it none of the Gateway's routes.
    private static void CheckIntervals(
        IDictionary<string, string>? annotations,
        ReadDuration? baseInterval,
        ReadDuration? maxInterval,
        List<string> problems
    )
    {
        if (baseInterval?.Value == TimeSpan.Zero)
        {
            problems.Add($"{Quoted(RetryAnnotations.BackOffBaseInterval, baseInterval.Text)} is not allowed; write a duration above zero.");
        }
        else if (maxInterval is not null && Value(annotations, RetryAnnotations.BackOffBaseInterval) is null)
        {
            problems.Add(
                $"{Quoted(RetryAnnotations.BackOffMaxInterval, maxInterval.Text)} is not allowed without "
                    + $"{RetryAnnotations.BackOffBaseInterval}; add that annotation with a duration that is not longer."
            );
        }
        else if (baseInterval is not null && maxInterval is not null && baseInterval.Value > maxInterval.Value)
        {
            problems.Add(
                $"{Quoted(RetryAnnotations.BackOffMaxInterval, maxInterval.Text)} is less than "
                    + $"{RetryAnnotations.BackOffBaseInterval} (\"{baseInterval.Text}\"); it must be at least as long."
            );
        }
    }

    private static string? Value(IDictionary<string, string>? annotations, string key) =>
        annotations?.TryGetValue(key, out var value) == true ? (value ?? "").Trim() : null;

    private static string Quoted(string key, string value) => $"Annotation {key}: \"{Cut(value)}\"";

    private static string Cut(string value)
    {
        var printable = string.Concat(value.Take(LongestQuotation).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return value.Length > LongestQuotation ? printable + "…" : printable;
    }

    private sealed record ReadDuration(string Text, TimeSpan Value);
}
