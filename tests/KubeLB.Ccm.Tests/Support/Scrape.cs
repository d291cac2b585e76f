using System.Globalization;
using System.Text.RegularExpressions;

namespace KubeLB.Ccm.Tests.Support;

/// <summary>A response of <c>/metrics</c>.</summary>
public sealed partial class Scrape
{
    private readonly List<(string Name, Dictionary<string, string> Labels, double Value)> _series = [];

    /// <summary>Help text of every family.</summary>
    public Dictionary<string, string> Help { get; } = new(StringComparer.Ordinal);

    /// <summary>counter, gauge or histogram, of every family.</summary>
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>The names of the labels of a family, but for a histogram's <c>le</c>.</summary>
    public IEnumerable<string> LabelsOf(string family) =>
        _series
            .Where(s => s.Name == family || s.Name == family + "_count")
            .SelectMany(s => s.Labels.Keys)
            .Distinct()
            .Order(StringComparer.Ordinal);

    public double Sum(string name, params (string Label, string Value)[] labels) =>
        _series.Where(s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Label) == l.Value)).Sum(s => s.Value);

    public static Scrape Of(string text)
    {
        var scrape = new Scrape();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Comment().Match(line) is { Success: true } comment)
            {
                (comment.Groups[1].Value == "HELP" ? scrape.Help : scrape.Types)[comment.Groups[2].Value] = comment.Groups[3].Value;
            }
            else if (Series().Match(line) is { Success: true } series)
            {
                scrape._series.Add(
                    (
                        series.Groups[1].Value,
                        Label().Matches(series.Groups[2].Value).ToDictionary(l => l.Groups[1].Value, l => l.Groups[2].Value),
                        double.Parse(series.Groups[3].Value, CultureInfo.InvariantCulture)
                    )
                );
            }
        }

        return scrape;
    }

    [GeneratedRegex(@"^# (HELP|TYPE) (\S+) (.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^([a-z_:]+)(?:\{(.*)\})? (\S+)$")]
    private static partial Regex Series();

    [GeneratedRegex("([a-z_]+)=\"([^\"]*)\"")]
    private static partial Regex Label();
}
