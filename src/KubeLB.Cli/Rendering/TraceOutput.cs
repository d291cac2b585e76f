using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Inspection.Tracing;
using Spectre.Console;

namespace KubeLB.Cli.Rendering;

/// <summary>Prints traces as a tree, JSON or YAML.</summary>
internal sealed class TraceOutput(TextWriter output, string format, TimeProvider? time = null)
{
    private DateTimeOffset _now;

    /// <summary>Prints traces.</summary>
    /// <param name="traces">The traces.</param>
    /// <param name="isUpdate">Whether earlier ones were printed before.</param>
    public async Task WriteAsync(IReadOnlyList<Trace> traces, bool isUpdate = false)
    {
        _now = (time ?? TimeProvider.System).GetUtcNow();
        if (format != "tree")
        {
            var separator = isUpdate && format == CommandOutput.Yaml ? "---\n" : "";
            await output.WriteAsync(separator + CommandOutput.Serialize(traces, format)).ConfigureAwait(false);
            return;
        }

        if (isUpdate)
        {
            await output
                .WriteLineAsync($"--- {_now.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}")
                .ConfigureAwait(false);
        }

        WriteTrees(traces);
    }

    private void WriteTrees(IReadOnlyList<Trace> traces)
    {
        var console = CommandOutput.Console(output);
        foreach (var trace in traces)
        {
            var root = new Tree(
                CommandOutput.Text(trace.Target.ToString())
                    + (trace.Tenant is { } tenant ? $" [grey]of tenant {CommandOutput.Text(tenant)}[/]" : "")
            );
            foreach (var hop in trace.Hops)
            {
                Add(root, hop, trace.Break ?? trace.Warning);
            }

            console.Write(root);
            console.WriteLine();
            WriteResult(console, trace);
        }
    }

    private void Add(IHasTreeNodes parent, Hop hop, Hop? stop)
    {
        var age = hop.Subject?.Created is { } created ? $" [grey]{CommandOutput.Age(_now - created)}[/]" : "";
        var detail = hop.Detail is { Length: > 0 } text ? $"  [grey]{CommandOutput.Text(text)}[/]" : "";
        // The problem that stops requests, or the first warning, is explained below the tree.
        var message = hop.Message is { } problem && !ReferenceEquals(hop, stop) ? $"  {CommandOutput.Text(FirstSentence(problem))}" : "";
        var reason = hop.Reason is { Length: > 0 } named ? $" [bold]{CommandOutput.Text(named)}[/]" : "";
        var node = parent.AddNode($"{Mark(hop.State)} {CommandOutput.Text(hop.Title)}{age}{reason}{detail}{message}");
        foreach (var part in hop.Parts)
        {
            Add(node, part, stop);
        }
    }

    private static void WriteResult(IAnsiConsole console, Trace trace)
    {
        if (trace.Break is { } stop)
        {
            WriteHop(console, trace, stop, stop.State == HopState.Broken ? "[red]Requests stop at[/]" : "[yellow]Waiting at[/]");
            if (trace.Cause is { } cause)
            {
                console.WriteLine(
                    MessageText.EscapeLines($"{string.Join(" > ", PathTo(trace.Hops, cause).Select(h => h.Title))}: {cause.Message}")
                );
            }
        }
        else if (trace.Warning is { } warning)
        {
            WriteHop(console, trace, warning, "[yellow]Served, with a warning at[/]");
        }
        else
        {
            console.MarkupLine(
                trace.Unseen.Count == 0
                    ? "[green]No problem found on the path.[/]"
                    : "[green]No problem found on the part of the path that could be read.[/]"
            );
        }

        foreach (var unseen in trace.Unseen)
        {
            console.MarkupLine($"[grey]Not read: {CommandOutput.Text(unseen)}.[/]");
        }

        if (trace.Assumption is { } assumption)
        {
            console.MarkupLine($"[grey]{CommandOutput.Text(assumption)}[/]");
        }

        console.WriteLine();
    }

    private static void WriteHop(IAnsiConsole console, Trace trace, Hop hop, string verb)
    {
        var path = string.Join(" > ", PathTo(trace.Hops, hop).Select(h => h.Title));
        console.MarkupLine($"{verb} {CommandOutput.Text(path + (hop.Reason is { } reason ? $" ({reason})" : ""))}");
        console.WriteLine(MessageText.EscapeLines(hop.Message ?? ""));
    }

    private static IEnumerable<Hop> PathTo(IEnumerable<Hop> hops, Hop wanted)
    {
        var top = hops.First(h => h.WithParts().Contains(wanted, ReferenceEqualityComparer.Instance));
        return ReferenceEquals(top, wanted) ? [top] : PathTo(top.Parts, wanted).Prepend(top);
    }

    private static string Mark(HopState state) =>
        state switch
        {
            HopState.Ok => "[green]✓[/]",
            HopState.Waiting => "[yellow]…[/]",
            HopState.Warning => "[yellow]![/]",
            HopState.Broken => "[red]✗[/]",
            _ => "[grey]?[/]",
        };

    private static string FirstSentence(string text)
    {
        var line = text.ReplaceLineEndings("\n").Split('\n')[0];
        var end = line.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? line : line[..(end + 1)];
    }
}
