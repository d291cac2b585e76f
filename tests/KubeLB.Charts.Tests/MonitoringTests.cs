using System.Text.Json;
using System.Text.RegularExpressions;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// The expressions of dashboards and alerts use metrics and labels of docs/reference/metrics.md, which other tests compare with
/// <c>/metrics</c>.
/// </summary>
public sealed partial class MonitoringTests
{
    private static readonly string[] Aggregations = ["by", "without", "on", "le"];

    public static TheoryData<string, string, string> Expressions()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var chart in new[] { Chart.Manager, Chart.Ccm })
        {
            foreach (var file in Directory.GetFiles(Path.Combine(Chart.FolderOf(chart), "dashboards"), "*.json"))
            {
                using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
                foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
                {
                    foreach (var target in panel.GetProperty("targets").EnumerateArray())
                    {
                        data.Add(chart, panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!);
                    }
                }
            }

            var rules = File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "templates", "prometheusrule.yaml"));
            foreach (Match alert in Alert().Matches(rules))
            {
                data.Add(chart, alert.Groups["name"].Value, alert.Groups["expr"].Value);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Expression_uses_documented_metrics_and_labels(string chart, string name, string expression)
    {
        var prefix = chart == Chart.Manager ? "kubelb_manager_" : "kubelb_ccm_";
        var documented = Documented(chart == Chart.Manager);
        var metrics = Metric().Matches(expression).Select(m => m.Value).Distinct(StringComparer.Ordinal).ToList();
        metrics.Should().NotBeEmpty("{0} uses metrics", name);
        var permitted = new HashSet<string>(Aggregations, StringComparer.Ordinal);
        foreach (var metric in metrics)
        {
            metric.Should().StartWith(prefix);
            var family = metric[prefix.Length..];
            if (family.EndsWith("_bucket", StringComparison.Ordinal))
            {
                family = family[..^"_bucket".Length];
                documented.Should().ContainKey(family).WhoseValue.Type.Should().Be("histogram", metric);
            }

            documented.Should().ContainKey(family, "docs/reference/metrics.md has {0}", metric);
            permitted.UnionWith(documented[family].Labels);
            if (documented[family].Type == "counter")
            {
                expression.Should().MatchRegex($@"(rate|increase)\({metric}", "a counter is used by its rate");
            }
        }

        Label()
            .Matches(expression)
            .SelectMany(m => m.Groups["labels"].Value.Split(','))
            .Select(l => l.Trim())
            .Should()
            .BeSubsetOf(permitted, name);
        Matcher().Matches(expression).Select(m => m.Groups["label"].Value).Should().BeSubsetOf(permitted, name);
        expression.Count(c => c == '(').Should().Be(expression.Count(c => c == ')'));
    }

    [Fact]
    public void Every_alert_has_a_summary_and_what_to_do()
    {
        foreach (var chart in new[] { Chart.Manager, Chart.Ccm })
        {
            var rules = File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "templates", "prometheusrule.yaml"));
            var alerts = Regex.Count(rules, "- alert: ");
            alerts.Should().BeGreaterThan(4);
            Regex.Count(rules, "  summary: .+").Should().Be(alerts);
            Regex.Count(rules, "  description: .+").Should().Be(alerts);
            Alert().Matches(rules).Should().HaveCount(alerts, "an alert begins with its name and expression");
            Regex
                .Matches(rules, @"- alert: (?<name>\w+)\n(?:(?! +- alert).*\n)*? +runbook: docs/operator/monitoring\.md#(?<heading>\w+)")
                .Select(m => (m.Groups["name"].Value.ToLowerInvariant(), m.Groups["heading"].Value))
                .Should()
                .HaveCount(alerts, "each alert names its runbook")
                .And.OnlyContain(pair => pair.Item1 == pair.Item2);
        }
    }

    [Fact]
    public void Runbook_has_a_section_for_every_alert()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operator", "monitoring.md"));
        Regex
            .Matches(page.Split("## Runbook")[1], @"^### (?<name>\w+)\n(?<text>[^#\n].+)$", RegexOptions.Multiline)
            .Select(m => m.Groups["name"].Value)
            .Should()
            .BeEquivalentTo(
                new[] { Chart.Manager, Chart.Ccm }.SelectMany(chart =>
                    Alert()
                        .Matches(File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "templates", "prometheusrule.yaml")))
                        .Select(alert => alert.Groups["name"].Value)
                )
            );
    }

    private static Dictionary<string, (string Type, string[] Labels)> Documented(bool isManager)
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "reference", "metrics.md"));
        page = isManager
            ? Regex.Replace(page, "## CCM metrics.*?## Manager metrics", "", RegexOptions.Singleline)
            : page.Split("## Manager metrics")[0];
        return Row()
            .Matches(page)
            .ToDictionary(
                m => m.Groups["name"].Value,
                m =>
                    (
                        m.Groups["type"].Value,
                        Regex.Matches(m.Groups["labels"].Value, "`([a-z]+)`").Select(l => l.Groups[1].Value).ToArray()
                    ),
                StringComparer.Ordinal
            );
    }

    [GeneratedRegex(@"- alert: (?<name>\w+)\n\s+expr: (?<expr>.+)\n", RegexOptions.ExplicitCapture)]
    private static partial Regex Alert();

    [GeneratedRegex(
        @"^\| `(?<name>[a-z_]+)` \| (?<type>counter|gauge|histogram) \|(?<labels>[^|]*)\|",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline
    )]
    private static partial Regex Row();

    [GeneratedRegex("kubelb_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\b(by|without|on) \((?<labels>[^)]*)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex("(?<label>[a-z]+)(=|!=|=~|!~)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Matcher();
}
