using Spectre.Console;

namespace KubeLB.Sandbox.Commands;

/// <summary>What the commands print: coloured on a terminal, plain where output is redirected or NO_COLOR is set.</summary>
internal sealed class Output
{
    private const int RedirectedWidth = 240;

    private readonly IAnsiConsole _console;

    /// <summary>Prints to standard output.</summary>
    public Output()
        : this(AnsiConsole.Create(new AnsiConsoleSettings()))
    {
        if (Console.IsOutputRedirected)
        {
            // Nobody's window is to be fitted; lines must stay whole for grep and copying.
            _console.Profile.Width = RedirectedWidth;
        }
    }

    internal Output(IAnsiConsole console) => _console = console;

    /// <summary>A line of text.</summary>
    public void Line(string text = "") => _console.WriteLine(text);

    /// <summary>A heading with an empty line before it.</summary>
    public void Heading(string text)
    {
        _console.WriteLine();
        _console.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    /// <summary>Something that went well.</summary>
    public void Good(string text) => _console.MarkupLineInterpolated($"[green]{text}[/]");

    /// <summary>Something that did not.</summary>
    public void Bad(string text) => _console.MarkupLineInterpolated($"[red]{text}[/]");

    /// <summary>Something to type.</summary>
    public void Command(string text) => _console.MarkupLineInterpolated($"  [aqua]{text}[/]");

    /// <summary>Columns like those of kubectl.</summary>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend(columns).ToList();
        var widths = columns.Select((_, column) => all.Max(row => row[column].Length)).ToList();
        foreach (var row in all)
        {
            _console.WriteLine("  " + string.Join("   ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}
