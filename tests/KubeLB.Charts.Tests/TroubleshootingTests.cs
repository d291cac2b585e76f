using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// Each row of the pages of symptoms has a row in docs/contributing/symptoms.md, which names a test that produces it and the output of
/// the command line.
/// </summary>
public sealed partial class TroubleshootingTests
{
    /// <summary>The beginning of each row without a trace, and the reason.</summary>
    private static readonly Dictionary<string, string> WithoutTrace = new()
    {
        ["`kubectl apply` fails"] = "the API server rejects the object, so there is none to trace",
    };

    /// <summary>Outputs without a problem, or of a mistake in the command line itself.</summary>
    private static readonly string[] NoSymptom = ["working", "working-gateway", "working-service", "name-misspelt"];

    private static readonly string[] Pages = ["docs/tenant/troubleshooting.md", "docs/operator/troubleshooting.md"];

    private static readonly List<string[]> Proofs = Rows("docs/contributing/symptoms.md");

    [Fact]
    public void Each_row_has_a_meaning_a_remedy_and_one_row_for_contributors()
    {
        var rows = Pages.SelectMany(Rows).ToList();

        rows.Should().HaveCountGreaterThan(20).And.OnlyContain(row => row.Length == 3 && row.All(cell => cell.Length > 0));
        Proofs.Select(row => row[0]).Should().Equal(rows.Select(row => row[0]), "symptoms.md has the same rows in the same order");
        Proofs.Select(row => row[0]).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void Each_row_has_the_name_of_an_existing_test()
    {
        var tests = Directory
            .EnumerateFiles(Path.Combine(SourceTree.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => TestMethod().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);

        foreach (var row in Proofs)
        {
            row.Should().HaveCount(3, row[0]);
            tests.Should().Contain(row[1].Trim('`'), row[0]);
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
        foreach (var row in Proofs)
        {
            if (row[2] == "–")
            {
                without.Add(row[0]);
                continue;
            }

            foreach (var name in row[2].Split(", "))
            {
                name.Should().MatchRegex("^`[a-z-]+`$", row[0]);
                outputs.Should().Contain(name.Trim('`'), row[0]);
                named.Add(name.Trim('`'));
            }
        }

        without.Should().HaveCount(WithoutTrace.Count, "the others have an output");
        WithoutTrace.Should().OnlyContain(w => without.Exists(row => row.StartsWith(w.Key, StringComparison.Ordinal)));
        outputs.Except(named).Should().BeSubsetOf(NoSymptom, "each output is that of a row");
        NoSymptom.Should().BeSubsetOf(outputs);
    }

    // The cells of the rows of all tables of a page, without the headings.
    private static List<string[]> Rows(string page) =>
        [
            .. File.ReadAllLines(Path.Combine(SourceTree.Root, page))
                .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
                .Where(line => !line.StartsWith("| you see |", StringComparison.Ordinal))
                .Select(line => line.Trim('|').Split(" | ").Select(cell => cell.Trim()).ToArray()),
        ];

    [GeneratedRegex(@"public (?:async Task|void) (?<name>[A-Z]\w+)\(")]
    private static partial Regex TestMethod();
}
