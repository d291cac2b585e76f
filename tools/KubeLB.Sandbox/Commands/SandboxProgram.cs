using System.CommandLine;
using System.Runtime.InteropServices;
using KubeLB.Runtime.CommandLine;

namespace KubeLB.Sandbox.Commands;

/// <summary>
/// The command line. An error that the user can fix is one line on standard error. Exit codes: <see cref="SandboxExitCodes"/>.
/// </summary>
internal static class SandboxProgram
{
    /// <summary>Runs a command line.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = Build();
        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            return await FailAsync($"{ErrorOf(parsed, args[0])} See --help.", SandboxExitCodes.Usage).ConfigureAwait(false);
        }

        return await parsed
            .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false })
            .ConfigureAwait(false);
    }

    /// <summary>The commands.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand(
            "KubeLB in one process, for trials and tests: a management cluster, tenant clusters, CCMs, the manager and the "
                + "data path. Everything is simulated on loopback addresses of this machine and is deleted when it stops. "
                + "Production requires a real cluster with Envoy Gateway."
        );
        root.Subcommands.Add(UpCommand.Build());
        root.Subcommands.Add(DemoCommand.Build());
        root.Subcommands.Add(ClusterCommand.Build());
        return root;
    }

    /// <summary>Runs a command, and prints errors that the user can fix as one line.</summary>
    public static async Task<int> GuardAsync(Func<CancellationToken, Task<int>> work)
    {
        using var stop = new StopSignal();
        try
        {
            return await work(stop.Token).ConfigureAwait(false);
        }
        catch (UsageException e)
        {
            return await FailAsync($"{e.Message} See --help.", SandboxExitCodes.Usage).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return SandboxExitCodes.Ok;
        }
        catch (Exception e)
        {
            return await FailAsync(e.Message, SandboxExitCodes.Failed).ConfigureAwait(false);
        }
    }

    private static string ErrorOf(ParseResult parsed, string first)
    {
        if (parsed.CommandResult.Command is not RootCommand || !parsed.UnmatchedTokens.Contains(first))
        {
            return string.Join(" ", parsed.Errors.Select(e => e.Message));
        }

        var commands = parsed.RootCommandResult.Command.Subcommands.Select(c => c.Name).ToList();
        return Spelling.Nearest(first, commands) is { } meant
            ? $"There is no command \"{first}\". Did you mean \"{meant}\"?"
            : $"There is no command or option \"{first}\"; use {string.Join(", ", commands[..^1])} or {commands[^1]}.";
    }

    private static async Task<int> FailAsync(string message, int code)
    {
        await Console.Error.WriteLineAsync(message.ReplaceLineEndings(" ")).ConfigureAwait(false);
        return code;
    }
}

/// <summary>Ctrl-C and SIGTERM as a cancellation; the second signal terminates the process.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations;

    /// <summary>Starts handling signals.</summary>
    public StopSignal() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
        ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (!_stop.IsCancellationRequested)
        {
            context.Cancel = true;
            _stop.Cancel();
        }
    }
}
