using System.CommandLine;
using KubeLB.Runtime.CommandLine;

namespace KubeLB.Cli.Commands;

/// <summary>
/// <c>kubelb completion SHELL</c>: a script that completes with <c>kubelb __complete</c>, so that it never has to be generated again.
/// </summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            _kubelb() {
                local IFS=$'\n'
                COMPREPLY=($(kubelb __complete "${COMP_LINE:0:$COMP_POINT}" 2> /dev/null))
                [[ ${COMPREPLY[0]} == */ ]] && compopt -o nospace
            }
            complete -F _kubelb kubelb
            """,
        ["zsh"] = """
            #compdef kubelb
            _kubelb() {
                local -a candidates
                candidates=("${(@f)$(kubelb __complete "$LBUFFER" 2> /dev/null)}")
                [[ ${candidates[1]} == */ ]] && compadd -S '' -- $candidates || compadd -- $candidates
            }
            compdef _kubelb kubelb
            """,
        ["fish"] = """
            complete -c kubelb -f -a '(kubelb __complete (commandline -cp) 2> /dev/null)'
            """,
        ["powershell"] = """
            Register-ArgumentCompleter -Native -CommandName kubelb -ScriptBlock {
                param($word, $ast, $position)
                kubelb __complete $ast.ToString().PadRight($position).Substring(0, $position) |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }
            """,
    };

    /// <summary>Creates the command, and the hidden one that the scripts call.</summary>
    public static Command Create(RootCommand root)
    {
        var shell = new Argument<string>("shell") { Description = string.Join(", ", Scripts.Keys) };
        shell.CompletionSources.Add([.. Scripts.Keys]);
        var command = new Command("completion", "Print a completion script") { shell };
        Examples.Add(
            command,
            """
              source <(kubelb completion bash)
              kubelb completion zsh > "${fpath[1]}/_kubelb"
              kubelb completion fish > ~/.config/fish/completions/kubelb.fish
              kubelb completion powershell | Out-String | Invoke-Expression
            """
        );
        command.SetAction(async parsed =>
        {
            var name = parsed.GetValue(shell)!;
            await parsed
                .InvocationConfiguration.Output.WriteLineAsync(
                    Scripts.GetValueOrDefault(name)
                        ?? throw new UsageException($"Unknown shell \"{name}\"; use {string.Join(", ", Scripts.Keys)}.")
                )
                .ConfigureAwait(false);
            return ExitCodes.Ok;
        });

        var line = new Argument<string>("line");
        var complete = new Command("__complete") { line };
        complete.Hidden = true;
        complete.SetAction(async parsed =>
        {
            // Without the name of the program.
            var typed = parsed.GetValue(line)!;
            var arguments = typed[(typed.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            foreach (var item in root.Parse(arguments).GetCompletions(arguments.Length).Where(c => c.Label != complete.Name))
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(item.InsertText ?? item.Label).ConfigureAwait(false);
            }

            return ExitCodes.Ok;
        });
        root.Subcommands.Add(complete);
        return command;
    }
}
