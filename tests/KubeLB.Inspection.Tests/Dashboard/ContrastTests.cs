using System.Globalization;
using System.Text.RegularExpressions;
using KubeLB.Inspection.Dashboard;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>The colors of the page are readable, by the measure of WCAG 2.</summary>
public sealed partial class ContrastTests
{
    private const double Required = 4.5;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Text_has_contrast_to_its_background(int palette)
    {
        var colors = Palettes()[palette];
        string[] texts = ["text", "muted", "ok", "waiting", "warning", "broken", "unseen"];
        string[] backgrounds = ["back", "panel", "active"];

        var pairs = texts.SelectMany(t => backgrounds.Select(b => (t, b))).Concat([("text", "broken-back"), ("broken", "broken-back")]);

        pairs.Where(p => Contrast(colors[p.Item1], colors[p.Item2]) < Required).Should().BeEmpty();
    }

    // The light colors, and the dark ones.
    private static List<Dictionary<string, double>> Palettes()
    {
        using var reader = new StreamReader(typeof(DashboardServer).Assembly.GetManifestResourceStream("Dashboard/page.css")!);
        return
        [
            .. Root()
                .Matches(reader.ReadToEnd())
                .Select(root => Color().Matches(root.Value).ToDictionary(c => c.Groups[1].Value, c => Luminance(c.Groups[2].Value))),
        ];
    }

    private static double Contrast(double a, double b) => (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);

    // https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    private static double Luminance(string hex)
    {
        double[] weights = [0.2126, 0.7152, 0.0722];
        return weights
            .Select(
                (weight, i) =>
                    weight * Linear(int.Parse(hex.AsSpan(i * 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0)
            )
            .Sum();
    }

    private static double Linear(double value) => value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);

    [GeneratedRegex(@":root \{[^}]*\}")]
    private static partial Regex Root();

    [GeneratedRegex("--([a-z-]+): #([0-9a-f]{6});")]
    private static partial Regex Color();
}
