using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>Each row of the pages of symptoms names a test that produces it.</summary>
public sealed partial class TroubleshootingTests
{
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
            cells.Should().HaveCount(4, row).And.NotContain(cell => cell.Trim().Length == 0, row);
            tests.Should().Contain(cells[3].Trim(' ', '`'), row);
        }
    }

    [GeneratedRegex(@"public (?:async Task|void) (?<name>[A-Z]\w+)\(")]
    private static partial Regex TestMethod();
}
