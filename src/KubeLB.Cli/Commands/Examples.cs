using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace KubeLB.Cli.Commands;

/// <summary>Examples at the end of the help of a command.</summary>
internal sealed class Examples(string text, SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    /// <summary>The examples and notes.</summary>
    public string Text => text;

    /// <summary>Adds examples to the help of a command.</summary>
    public static void Add(Command command, string text)
    {
        var option = new HelpOption();
        option.Action = new Examples(text, (SynchronousCommandLineAction)option.Action!);
        command.Options.Add(option);
    }

    /// <inheritdoc />
    public override bool ClearsParseErrors => true;

    /// <inheritdoc />
    public override int Invoke(ParseResult parseResult)
    {
        var code = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine($"Examples:{Environment.NewLine}{text}{Environment.NewLine}");
        return code;
    }
}
