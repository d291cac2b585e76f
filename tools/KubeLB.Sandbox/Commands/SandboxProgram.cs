using System.CommandLine;
using KubeLB.Runtime.CommandLine;

namespace KubeLB.Sandbox.Commands;

/// <summary>
/// The command line. What the user can mend is one line on standard error: exit code 2 for a bad command line, 1 for what is wrong with
/// the rest.
/// </summary>
internal static class SandboxProgram
{
    /// <summary>Runs a command line.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(
            "KubeLB in one process, to learn, try and test: a management cluster, tenants' clusters, CCMs, the manager, and the "
                + "path that traffic "
                + "takes. Everything is simulated on loopback addresses of this machine and gone when it stops; production is a real "
                + "cluster with Envoy Gateway."
        );
        root.Subcommands.Add(UpCommand.Build());
        root.Subcommands.Add(DemoCommand.Build());
        root.Subcommands.Add(ClusterCommand.Build());
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await Console
                .Error.WriteLineAsync($"{string.Join(" ", parsed.Errors.Select(e => e.Message))} See --help.")
                .ConfigureAwait(false);
            return 2;
        }

        return await parsed
            .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false })
            .ConfigureAwait(false);
    }

    /// <summary>Runs a command's work and turns what the user can mend into one line.</summary>
    public static async Task<int> GuardAsync(Func<CancellationToken, Task<int>> work)
    {
        using var stop = new StopSignal();
        try
        {
            return await work(stop.Token).ConfigureAwait(false);
        }
        catch (UsageException e)
        {
            return await FailAsync($"{e.Message} See --help.", 2).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e)
        {
            return await FailAsync(e.Message, 1).ConfigureAwait(false);
        }
    }

    private static async Task<int> FailAsync(string message, int code)
    {
        await Console.Error.WriteLineAsync(message.ReplaceLineEndings(" ")).ConfigureAwait(false);
        return code;
    }
}
