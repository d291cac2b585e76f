using System.CommandLine;
using System.CommandLine.Invocation;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace KubeLB.Runtime.CommandLine;

/// <summary>
/// Runs the host of a controller from its command line. A configuration error is one line on standard error. Exit codes:
/// <see cref="ControllerExitCodes"/>.
/// </summary>
public static class ControllerProgram
{
    /// <summary>Parses, builds the host and runs it until SIGTERM or Ctrl-C.</summary>
    /// <param name="command">The command with its options.</param>
    /// <param name="version">The output of <c>--version</c>.</param>
    /// <param name="args">The command line; a single dash before a long flag is accepted, as in Go.</param>
    /// <param name="build">
    /// Builds the host from the parsed command line; may throw <see cref="KubeconfigException"/> or <see cref="UsageException"/>.
    /// </param>
    public static async Task<int> RunAsync(RootCommand command, BuildVersion version, string[] args, Func<ParseResult, IHost> build)
    {
        command.Options.OfType<VersionOption>().Single().Action = new PrintVersion(version);
        command.SetAction((parsed, cancellationToken) => RunHostAsync(() => build(parsed), cancellationToken));
        ParseResult parsed;
        try
        {
            parsed = Parse(command, args);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} See --help.").ConfigureAwait(false);
            return ControllerExitCodes.Usage;
        }

        // The host handles signals, so System.CommandLine must not terminate the process.
        return await parsed
            .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false })
            .ConfigureAwait(false);
    }

    /// <summary>Parses a command line; a single dash before a long flag is accepted, as in Go.</summary>
    /// <exception cref="UsageException">The syntax is invalid, or a flag is unknown or has an invalid value.</exception>
    public static ParseResult Parse(RootCommand command, IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(command);
        var parsed = command.Parse([.. args.Select(DoubleDash)]);
        return parsed.Errors.Count == 0
            ? parsed
            : throw new UsageException(
                string.Join(
                    " ",
                    parsed.Errors.Select(e => string.Join(" ", e.Message.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)))
                )
            );
    }

    private static async Task<int> RunHostAsync(Func<IHost> build, CancellationToken cancellationToken)
    {
        try
        {
            using var host = build();
            var exit = host.Services.GetRequiredService<RuntimeExit>();
            var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
            var (started, stopping) = (lifetime.ApplicationStarted, lifetime.ApplicationStopping);
            try
            {
                await host.RunAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
                when (!started.IsCancellationRequested && (stopping.IsCancellationRequested || cancellationToken.IsCancellationRequested))
            {
                // SIGTERM while the host starts.
            }

            return exit.Code;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} See --help.").ConfigureAwait(false);
            return ControllerExitCodes.Usage;
        }
        catch (Exception e) when (e is KubeconfigException or OptionsValidationException or IOException)
        {
            await Console.Error.WriteLineAsync(e.Message.ReplaceLineEndings(" ")).ConfigureAwait(false);
            return ControllerExitCodes.Failed;
        }
    }

    private sealed class PrintVersion(BuildVersion version) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(version);
            return ControllerExitCodes.Ok;
        }
    }

    private static string DoubleDash(string argument) =>
        argument.Length > 2 && argument[0] == '-' && char.IsAsciiLetter(argument[1]) ? "-" + argument : argument;
}

/// <summary>A command line with valid syntax and invalid values; the message is one sentence with a remedy.</summary>
public sealed class UsageException(string message) : Exception(message);
