using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary><c>docs/reference/README.md</c> has a row for each page of the reference, and says which are generated.</summary>
public sealed partial class IndexTests
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "docs", "reference");

    [Fact]
    public void Index_has_a_row_for_each_page() =>
        Rows()
            .Select(row => row.Page)
            .Should()
            .BeEquivalentTo(
                Directory
                    .GetFiles(Folder)
                    .Select(file => Path.GetFileName(file)!)
                    .Where(name => name != "README.md")
                    .Append("../tenant/supported.md")
            );

    [Fact]
    public void Generated_pages_say_what_they_are_generated_from()
    {
        foreach (var (page, isGenerated) in Rows().Where(row => row.Page.EndsWith(".md", StringComparison.Ordinal)))
        {
            var note = File.ReadLines(Path.Combine(Folder, page)).ElementAt(1);
            note.StartsWith("This page is generated from ", StringComparison.Ordinal).Should().Be(isGenerated, page);
        }
    }

    private static IEnumerable<(string Page, bool IsGenerated)> Rows() =>
        Row()
            .Matches(File.ReadAllText(Path.Combine(Folder, "README.md")))
            .Select(m => (m.Groups["page"].Value, m.Groups["source"].Value.StartsWith("generated", StringComparison.Ordinal)));

    [GeneratedRegex(@"^\| \[[^]]+\]\((?<page>[^)]+)\) \|[^|]+\| (?<source>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
