using System.Globalization;
using System.Text;

namespace KubeLB.Tests.Shared;

/// <summary>
/// A page of <c>docs/</c> that a test generates from the source. <c>KUBELB_UPDATE_GOLDEN=1 dotnet test tests/PROJECT</c> rewrites it;
/// otherwise a page that differs fails the test.
/// </summary>
/// <param name="project">The project of the test.</param>
/// <param name="path">Path of the page from the root of the repository.</param>
internal sealed class ReferencePage(string project, string path)
{
    private readonly StringBuilder _text = new();

    private string HowToWrite => $"KUBELB_UPDATE_GOLDEN=1 dotnet test tests/{project}";

    /// <summary>Begins the page: its title, and the note that says what it is generated from.</summary>
    public ReferencePage Title(string title, string source) =>
        Line($"# {title}").Line($"This page is generated from {source} (`{HowToWrite}`).");

    /// <summary>Appends a section: a blank line, a heading of the level, and a blank line.</summary>
    public ReferencePage Heading(int level, string heading) => Line().Line($"{new string('#', level)} {heading}").Line();

    /// <summary>Appends a paragraph after a blank line.</summary>
    public ReferencePage Paragraph(string text) => Line().Line(text);

    public ReferencePage Line(string text = "")
    {
        _text.Append(text).Append('\n');
        return this;
    }

    /// <summary>Appends a table; cells are Markdown, see <see cref="Cell"/>. A column whose cells are all empty is left out.</summary>
    public ReferencePage Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var cells = rows.ToList();
        var used = Enumerable.Range(0, columns.Count).Where(i => cells.Count == 0 || cells.Exists(row => row[i].Length > 0)).ToList();
        Line(Row(used.Select(i => columns[i]))).Line($"|{string.Concat(Enumerable.Repeat("---|", used.Count))}");
        cells.ForEach(row => Line(Row(used.Select(i => row[i]))));
        return this;
    }

    /// <summary>A text as content of a cell: on one line, without characters that a table would interpret. May contain code.</summary>
    public static string Cell(string text) => Text(text).Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>A text on one line, without characters outside of code that Markdown or HTML would interpret.</summary>
    public static string Text(string text)
    {
        var parts = text.Replace('\n', ' ').Split('`');
        return string.Join(
            '`',
            parts.Select(
                (part, i) =>
                    // Every second part is between backticks.
                    i % 2
                        == 1
                    && parts.Length % 2 == 1
                        ? part
                        : part.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal)
            )
        );
    }

    /// <summary>Code as content of a cell; nothing if it is empty.</summary>
    public static string Code(string? code) =>
        string.IsNullOrEmpty(code)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"`{code.Replace("|", "\\|", StringComparison.Ordinal)}`");

    /// <summary>Compares the page with its file, or writes it.</summary>
    public void Check()
    {
        var file = Path.Combine(SourceTree.Root, path);
        var text = _text.ToString();
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        File.Exists(file).Should().BeTrue($"{path} is missing; write it with: {HowToWrite}");
        File.ReadAllText(file).Should().Be(text, $"write it with: {HowToWrite}");
    }

    private static string Row(IEnumerable<string> cells) =>
        $"|{string.Concat(cells.Select(cell => cell.Length == 0 ? "  |" : $" {cell} |"))}";
}
