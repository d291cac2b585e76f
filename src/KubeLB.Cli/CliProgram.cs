using System.CommandLine;
using System.CommandLine.Invocation;
using KubeLB.Api.Messages;
using KubeLB.Cli.Commands;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;

namespace KubeLB.Cli;

/// <summary>
/// The command line. An error that the user can correct is one line on standard error. Exit codes: <see cref="ExitCodes"/>.
/// </summary>
internal static class CliProgram
{
    /// <summary>Runs a command line.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = Build();
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion();
        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true })
        {
            return await FailAsync(error, $"{Usage.ErrorOf(root, parsed)} See --help.", ExitCodes.Usage).ConfigureAwait(false);
        }

        try
        {
            return await parsed
                .InvokeAsync(
                    new InvocationConfiguration
                    {
                        Output = output,
                        Error = error,
                        EnableDefaultExceptionHandler = false,
                    }
                )
                .ConfigureAwait(false);
        }
        catch (UsageException e)
        {
            return await FailAsync(error, $"{e.Message} See --help.", ExitCodes.Usage).ConfigureAwait(false);
        }
        catch (Exception e)
            when (e is KubeconfigException or InspectionException or k8s.Autorest.HttpOperationException or HttpRequestException)
        {
            return await FailAsync(error, Usage.MessageOf(e), ExitCodes.Failed).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Ok;
        }
    }

    /// <summary>The commands.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand(
            "Inspect KubeLB: follow a route through both clusters, and check an installation. As kubectl-kubelb on PATH it is also a "
                + "plugin: kubectl kubelb trace httproute/my-route."
        );
        root.Subcommands.Add(TraceCommand.Create());
        root.Subcommands.Add(StatusCommand.Create());
        root.Subcommands.Add(TopCommand.Create());
        root.Subcommands.Add(Commands.CheckCommand.Create());
        root.Subcommands.Add(TenantCommand.Create());
        root.Subcommands.Add(MigrateCommand.Create());
        root.Subcommands.Add(DashboardCommand.Create());
        root.Subcommands.Add(CompletionCommand.Create(root));
        return root;
    }

    private static async Task<int> FailAsync(TextWriter error, string message, int code)
    {
        await error.WriteLineAsync(MessageText.Escape(message.ReplaceLineEndings(" "))).ConfigureAwait(false);
        return code;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(BuildVersion.FromAssembly(typeof(CliProgram).Assembly));
            return ExitCodes.Ok;
        }
    }
}

/// <summary>The exit codes of <c>kubelb</c>.</summary>
internal static class ExitCodes
{
    /// <summary>
    /// No problem was found. Warnings of <c>check</c> are no problem. <c>dashboard</c>, <c>trace --watch</c>, <c>top --watch</c>: stopped
    /// by Ctrl-C.
    /// </summary>
    public const int Ok = 0;

    /// <summary>
    /// <c>trace</c>: requests stop at a hop, or no hop could be read. <c>status</c>, <c>check</c>: a problem was found.
    /// <c>top</c>: metrics of a proxy could not be read.
    /// <c>migrate plan</c>: something blocks the migration. <c>tenant add</c>: the Tenant is not ready in time. All: a cluster could not be
    /// read, or a file or port could not be used.
    /// </summary>
    public const int Failed = 1;

    /// <summary>The command line is invalid. Standard error has the reason.</summary>
    public const int Usage = 2;
}
