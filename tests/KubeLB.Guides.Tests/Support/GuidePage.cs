using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Guides.Tests.Support;

/// <summary>A fenced block of a page.</summary>
/// <param name="Page">Path of the page in the repository.</param>
/// <param name="Line">Line of the opening fence, from 1.</param>
/// <param name="Language">Its info string: <c>bash</c>, <c>yaml</c>, <c>text</c>; empty for none.</param>
/// <param name="Directive">Content of the HTML comment on the line before; null for none.</param>
/// <param name="Text">Its lines, each with a line feed.</param>
public sealed record GuideBlock(string Page, int Line, string Language, string? Directive, string Text)
{
    /// <summary>A command block that is run.</summary>
    public bool IsRun => Language == "bash" && Directive is not (RealClusters or Development);

    /// <summary>The output of the block before it.</summary>
    public bool IsOutput => Directive == "output";

    /// <summary>Not run: needs clusters, images or tools that no test has. What can be checked without them is.</summary>
    public const string RealClusters = "real clusters";

    /// <summary>Not run: builds or tests the project itself.</summary>
    public const string Development = "development";

    /// <inheritdoc/>
    public override string ToString() => $"{Page}:{Line}";
}

/// <summary>The fenced blocks of a page of the documentation, with their directives (docs/contributing/documentation.md).</summary>
public sealed partial class GuidePage
{
    /// <summary>Reads a page.</summary>
    /// <param name="path">Its path in the repository.</param>
    public GuidePage(string path)
    {
        Path = path;
        Blocks = [.. Read(path, File.ReadAllLines(System.IO.Path.Combine(SourceTree.Root, path)))];
    }

    /// <summary>Its path in the repository.</summary>
    public string Path { get; }

    /// <summary>Its name, usable as that of a namespace.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path).ToLowerInvariant();

    /// <summary>Its blocks in order.</summary>
    public IReadOnlyList<GuideBlock> Blocks { get; }

    /// <summary>The pages of the repository: the README, CONTRIBUTING, and everything in docs.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "CONTRIBUTING.md",
        "README.md",
        .. Directory
            .EnumerateFiles(System.IO.Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => System.IO.Path.GetRelativePath(SourceTree.Root, file))
            .Where(file => !file.StartsWith("docs/.", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private static IEnumerable<GuideBlock> Read(string path, string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var fence = Fence().Match(lines[i]);
            if (!fence.Success)
            {
                continue;
            }

            var directive = i > 0 ? Comment().Match(lines[i - 1]) : null;
            var indent = fence.Groups["indent"].Length;
            var end = Array.FindIndex(lines, i + 1, line => line.Trim() == "```");
            end.Should().BePositive($"the block {path}:{i + 1} has an end");
            var text = string.Concat(lines[(i + 1)..end].Select(line => line[Math.Min(indent, line.Length)..] + "\n"));
            yield return new GuideBlock(
                path,
                i + 1,
                fence.Groups["language"].Value,
                directive is { Success: true } ? directive.Groups["text"].Value : null,
                text
            );
            i = end;
        }
    }

    [GeneratedRegex("^(?<indent> *)```(?<language>[^`]*)$")]
    private static partial Regex Fence();

    [GeneratedRegex(@"^ *<!-- (?<text>.*?) -->\s*$")]
    private static partial Regex Comment();
}
