using Spectre.Console;

namespace KubeLB.Sandbox.Commands;

/// <summary>Console output of the commands: coloured on a terminal, plain if output is redirected or NO_COLOR is set.</summary>
internal sealed class Output
{
    // A terminal wraps long lines itself. Line feeds in printed commands would break them when they are copied.
    private const int Unwrapped = 10_000;

    private readonly IAnsiConsole _console;

    /// <summary>Prints to standard output.</summary>
    public Output()
        : this(AnsiConsole.Create(new AnsiConsoleSettings())) { }

    internal Output(IAnsiConsole console)
    {
        _console = console;
        _console.Profile.Width = Unwrapped;
    }

    /// <summary>Prints a line.</summary>
    public void Line(string text = "") => _console.WriteLine(text);

    /// <summary>Prints a line with the local time.</summary>
    public void Timed(string text) => _console.WriteLine($"{DateTime.Now:HH:mm:ss} {text}");

    /// <summary>Prints a heading after an empty line.</summary>
    public void Heading(string text)
    {
        _console.WriteLine();
        _console.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    /// <summary>Prints a success message.</summary>
    public void Success(string text) => _console.MarkupLineInterpolated($"[green]{text}[/]");

    /// <summary>Prints a failure message.</summary>
    public void Failure(string text) => _console.MarkupLineInterpolated($"[red]{text}[/]");

    /// <summary>Prints a shell command.</summary>
    /// <param name="text">The command, or its first line with a trailing backslash.</param>
    /// <param name="continuation">Its next lines.</param>
    public void Command(string text, params string[] continuation)
    {
        _console.MarkupLineInterpolated($"  [aqua]{text}[/]");
        foreach (var line in continuation)
        {
            _console.MarkupLineInterpolated($"    [aqua]{line}[/]");
        }
    }

    /// <summary>Prints a table in the style of kubectl.</summary>
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
