using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>Links and paths in the documentation point to files that exist.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] Folders = ["docs", "charts", "deploy", "examples", "src", "tests", "tools", ".github"];

    public static TheoryData<string> Documents =>
        [
            .. Directory
                .EnumerateFiles(SourceTree.Root, "*.md")
                .Concat(
                    Folders.SelectMany(f => Directory.EnumerateFiles(Path.Combine(SourceTree.Root, f), "*.md", SearchOption.AllDirectories))
                )
                .Select(f => Path.GetRelativePath(SourceTree.Root, f))
                .Where(f => !f.Split('/').Any(part => part is "bin" or "obj" or "testdata" or "node_modules"))
                .Order(StringComparer.Ordinal),
        ];

    public static TheoryData<string> Guides => [.. Documents.Select(row => row.Data).Where(page => Guide().IsMatch(page))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_of_a_document_exist(string document)
    {
        var text = Code().Replace(File.ReadAllText(Path.Combine(SourceTree.Root, document)), "");
        var folder = Path.GetDirectoryName(Path.Combine(SourceTree.Root, document))!;

        Link()
            .Matches(text)
            .Select(m => m.Groups[1].Value.Split('#')[0])
            .Where(link => link.Length > 0 && !link.Contains("://", StringComparison.Ordinal))
            .Where(link => !Path.Exists(Path.Combine(folder, link)))
            .Should()
            .BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Sections_that_a_document_links_to_exist(string document)
    {
        var path = Path.Combine(SourceTree.Root, document);
        Link()
            .Matches(Code().Replace(File.ReadAllText(path), ""))
            .Select(m => m.Groups[1].Value.Split('#'))
            .Where(link => link.Length == 2 && !link[0].Contains("://", StringComparison.Ordinal))
            .Where(link => link[0].Length == 0 || link[0].EndsWith(".md", StringComparison.Ordinal))
            .Where(link => !Sections(link[0].Length == 0 ? path : Path.Combine(Path.GetDirectoryName(path)!, link[0])).Contains(link[1]))
            .Select(link => string.Join('#', link))
            .Should()
            .BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Paths_in_a_document_exist(string document) =>
        SourcePath()
            .Matches(File.ReadAllText(Path.Combine(SourceTree.Root, document)))
            .Select(m => m.Groups[1].Value)
            .Where(path => !Path.Exists(Path.Combine(SourceTree.Root, path)))
            .Should()
            .BeEmpty();

    [Theory]
    [MemberData(nameof(Guides))]
    public void Page_has_at_most_two_screens(string document) =>
        // Without tables, which are for reference, and without fences and directives, which are not shown.
        NotShown()
            .Replace(File.ReadAllText(Path.Combine(SourceTree.Root, document)), "")
            .Count(c => c == '\n')
            .Should()
            .BeLessThanOrEqualTo(110, "a page is one task: docs/contributing/documentation.md");

    [Fact]
    public void Navigation_of_the_site_lists_each_page_once() =>
        NavigationPage()
            .Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "mkdocs.yml")))
            .Select(m => "docs/" + m.Groups[1].Value)
            .Should()
            .BeEquivalentTo(Documents.Select(row => row.Data).Where(page => page.StartsWith("docs/", StringComparison.Ordinal)));

    [Fact]
    public void Walkthrough_lists_at_most_50_files() =>
        SourcePath()
            .Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/contributing/walkthrough.md")))
            .Select(m => m.Groups[1].Value)
            .Where(path => path.EndsWith(".cs", StringComparison.Ordinal))
            .Distinct()
            .Should()
            .HaveCountLessThanOrEqualTo(50);

    [GeneratedRegex(@"^ +- (?:.*: )?([\w/.-]+\.md)$", RegexOptions.Multiline)]
    private static partial Regex NavigationPage();

    // The identifiers that code hosts and mkdocs give to headings.
    private static HashSet<string> Sections(string path) =>
        File.Exists(path)
            ?
            [
                .. Heading()
                    .Matches(Code().Replace(File.ReadAllText(path), ""))
                    .Select(m => NotInIdentifier().Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')),
            ]
            : [];

    [GeneratedRegex("^docs/(start|tenant|operator|contributing)/")]
    private static partial Regex Guide();

    [GeneratedRegex(@"^( *(```.*|<!-- .* -->)|\|.*)\n", RegexOptions.Multiline)]
    private static partial Regex NotShown();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\s-]")]
    private static partial Regex NotInIdentifier();

    [GeneratedRegex(@"```.*?```", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|tools|tests|charts|deploy|examples)/[\w./-]*\w)/?`")]
    private static partial Regex SourcePath();
}
