using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>Each row of the pages of symptoms names a test that produces it.</summary>
public sealed partial class TroubleshootingTests
{
    /// <summary>The beginning of each row without a trace, and the reason.</summary>
    private static readonly Dictionary<string, string> WithoutTrace = new()
    {
        ["| `kubectl apply` fails"] = "the API server rejects the object, so there is none to trace",
    };

    /// <summary>Outputs without a problem, or of a mistake in the command line itself.</summary>
    private static readonly string[] NoSymptom = ["working", "working-gateway", "working-service", "name-misspelt"];

    private static readonly string[] Rows =
    [
        .. new[] { "docs/tenant/troubleshooting.md", "docs/operator/troubleshooting.md" }
            .SelectMany(page => File.ReadAllLines(Path.Combine(SourceTree.Root, page)))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| you see |", StringComparison.Ordinal)),
    ];

    [Fact]
    public void Each_row_has_a_remedy_and_the_name_of_an_existing_test()
    {
        var tests = Directory
            .EnumerateFiles(Path.Combine(SourceTree.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => TestMethod().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);

        Rows.Should().HaveCountGreaterThan(20);
        foreach (var row in Rows)
        {
            var cells = row.Trim('|').Split(" | ");
            cells.Should().HaveCount(5, row).And.NotContain(cell => cell.Trim().Length == 0, row);
            tests.Should().Contain(cells[3].Trim(' ', '`'), row);
        }
    }

    [Fact]
    public void Each_row_has_the_output_of_a_trace_or_a_reason_for_none()
    {
        var outputs = new[] { "traces", "installation-traces" }
            .SelectMany(folder =>
                Directory.GetFiles(Path.Combine(SourceTree.Root, "tests/KubeLB.EndToEnd/testdata", folder), "*" + GoldenFolder.Out)
            )
            .Select(file => Path.GetFileName(file)[..^GoldenFolder.Out.Length])
            .ToHashSet(StringComparer.Ordinal);
        var named = new HashSet<string>(StringComparer.Ordinal);
        var without = new List<string>();
        foreach (var row in Rows)
        {
            var cell = row.Trim('|').Split(" | ")[4].Trim();
            if (cell == "–")
            {
                without.Add(row);
                continue;
            }

            foreach (var name in cell.Split(", "))
            {
                name.Should().MatchRegex("^`[a-z-]+`$", row);
                outputs.Should().Contain(name.Trim('`'), row);
                named.Add(name.Trim('`'));
            }
        }

        without.Should().HaveCount(WithoutTrace.Count, "the others have an output");
        WithoutTrace.Should().OnlyContain(w => without.Exists(row => row.StartsWith(w.Key, StringComparison.Ordinal)));
        outputs.Except(named).Should().BeSubsetOf(NoSymptom, "each output is that of a row");
        NoSymptom.Should().BeSubsetOf(outputs);
    }

    [GeneratedRegex(@"public (?:async Task|void) (?<name>[A-Z]\w+)\(")]
    private static partial Regex TestMethod();
}
