using System.Globalization;
using System.Runtime.CompilerServices;

namespace KubeLB.Inspection.Metrics;

/// <summary>Reads the text format of Prometheus. https://prometheus.io/docs/instrumenting/exposition_formats/</summary>
internal static class PrometheusText
{
    /// <summary>Reads the samples of some metrics. Comments and lines that are not a sample are skipped.</summary>
    /// <param name="text">The text.</param>
    /// <param name="names">The names of the metrics.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    public static async IAsyncEnumerable<MetricSample> ReadAsync(
        TextReader text,
        IReadOnlySet<string> names,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        while (await text.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (line.Length > 0 && line[0] != '#' && Parse(line, names) is { } sample)
            {
                yield return sample;
            }
        }
    }

    private static MetricSample? Parse(string line, IReadOnlySet<string> names)
    {
        var end = line.AsSpan().IndexOfAny('{', ' ');
        if (end <= 0 || !names.Contains(line[..end]))
        {
            return null;
        }

        var name = line[..end];
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var at = end;
        if (line[at] == '{')
        {
            for (at++; at < line.Length && line[at] != '}'; )
            {
                var equals = line.IndexOf('=', at);
                if (equals < 0 || equals + 1 >= line.Length || line[equals + 1] != '"')
                {
                    return null;
                }

                var close = ClosingQuote(line, equals + 2);
                if (close < 0)
                {
                    return null;
                }

                labels[line[at..equals].Trim()] = Unescape(line[(equals + 2)..close]);
                at = close + 1;
                if (at < line.Length && line[at] == ',')
                {
                    at++;
                }
            }

            at++;
        }

        // A time may follow the value.
        var value = at < line.Length ? line[at..].Trim().Split(' ')[0] : "";
        return Number(value) is { } number ? new MetricSample(name, labels, number) : null;
    }

    /// <summary>A number as Prometheus writes it; null for another text.</summary>
    public static double? Number(string text) =>
        text switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        };

    private static int ClosingQuote(string line, int from)
    {
        for (var at = from; at < line.Length; at++)
        {
            if (line[at] == '"')
            {
                return at;
            }

            if (line[at] == '\\')
            {
                at++;
            }
        }

        return -1;
    }

    private static string Unescape(string value) =>
        value.Contains('\\', StringComparison.Ordinal)
            ? value
                .Replace(@"\\", "\0", StringComparison.Ordinal)
                .Replace(@"\""", "\"", StringComparison.Ordinal)
                .Replace(@"\n", "\n", StringComparison.Ordinal)
                .Replace('\0', '\\')
            : value;
}

/// <summary>A sample of a metric.</summary>
/// <param name="Name">Name of the metric.</param>
/// <param name="Labels">The labels.</param>
/// <param name="Value">The value.</param>
internal readonly record struct MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
