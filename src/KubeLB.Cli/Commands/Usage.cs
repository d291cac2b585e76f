using System.CommandLine;
using System.CommandLine.Parsing;
using k8s.Autorest;
using KubeLB.Runtime.Clusters;
using KubeLB.Translation.Matching;

namespace KubeLB.Cli.Commands;

/// <summary>Errors of the command line in one sentence, with what was probably meant.</summary>
internal static class Usage
{
    /// <summary>The errors of a command line.</summary>
    public static string ErrorOf(Command root, ParseResult parsed)
    {
        var unknown = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        var command = parsed.CommandResult.Command;
        if (unknown is null)
        {
            return parsed.Errors.Count > 0 && command.Subcommands.Count > 0 && parsed.Errors[0].SymbolResult is CommandResult
                ? $"A command is required: {string.Join(", ", command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name))}."
                : string.Join(" ", parsed.Errors.Select(e => e.Message));
        }

        var isOption = unknown.StartsWith('-');
        var known = isOption
            ? command.Options.Concat(root.Options).SelectMany(o => o.Aliases.Append(o.Name)).Where(n => n.Length > 2)
            : command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);
        return $"Unknown {(isOption ? "option" : command.Subcommands.Count > 0 ? "command" : "argument")} {unknown}."
            + (Misspellings.Nearest(unknown, known) is { } meant ? $" Did you mean {meant}?" : "");
    }

    /// <summary>An error of a request in one sentence.</summary>
    public static string MessageOf(Exception e) =>
        e is HttpOperationException { Response: { } response }
            ? $"The API server responded with {(int)response.StatusCode}: {ApiStatus.MessageOf(response.Content)}"
        : e is HttpRequestException ? e.GetBaseException().Message
        : e.Message;
}
