using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// Starts processes that end with this one, also if it is killed (where util-linux's setpriv exists). The kernel ends a child with the
/// thread that started it, so one thread starts them all and lives as long as this.
/// </summary>
internal sealed class ChildProcesses : IDisposable
{
    private static readonly string? SetPrivileges = Find("setpriv");
    private static readonly string? NewSession = Find("setsid");

    private readonly BlockingCollection<Action> _starts = [];
    private readonly Thread _parent;

    /// <summary>Starts the thread.</summary>
    public ChildProcesses()
    {
        _parent = new Thread(() =>
        {
            foreach (var start in _starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        {
            IsBackground = true,
            Name = "parent of processes",
        };
        _parent.Start();
    }

    /// <summary>Whether processes can be run as another user, without privileges.</summary>
    public static bool CanDropPrivileges => SetPrivileges is not null && Environment.IsPrivilegedProcess;

    /// <summary>Whether every user can reach a file or folder: all folders above it, and itself, may be entered or run.</summary>
    public static bool IsOpenToAll(string path)
    {
        for (
            var at = Path.GetFullPath(path).TrimEnd('/');
            at.Length > 0 && !OperatingSystem.IsWindows();
            at = Path.GetDirectoryName(at) is { Length: > 1 } above ? above : ""
        )
        {
            if (!File.GetUnixFileMode(at).HasFlag(UnixFileMode.OtherExecute))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A program on PATH, or where administrators' programs are; null if there is none.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Concat(["/usr/sbin", "/sbin"])
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a command to its end.</summary>
    /// <returns>Its exit code, and what it printed.</returns>
    public static async Task<(int Code, string Output)> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        using var process = Process.Start(StartInfo(command))!;
        var printed = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return (process.ExitCode, await printed.ConfigureAwait(false) + await errors.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="IOException">It failed.</exception>
    public static async Task<string> ExpectAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var (code, output) = await RunAsync(command, cancellationToken).ConfigureAwait(false);
        return code == 0 ? output : throw new IOException($"\"{string.Join(' ', command)}\" failed: {output.Trim()}");
    }

    /// <summary>Starts a command that ends with this process. The caller disposes it.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="user">User and group to run as, without capabilities; null for those of this process.</param>
    /// <param name="within">
    /// Comes before the command, for example to enter a network namespace: it needs the privileges that are dropped.
    /// </param>
    /// <param name="line">Takes the lines that it prints. Called from any thread.</param>
    /// <exception cref="IOException">It cannot be started.</exception>
    public async Task<Process> StartAsync(IReadOnlyList<string> command, int? user, IReadOnlyList<string> within, Action<string> line)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var info = StartInfo([.. within, .. Wrapper(user), .. command]);
        _starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        Process process;
        try
        {
            process = await started.Task.ConfigureAwait(false);
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{info.FileName} cannot be started: {e.Message}", e);
        }

        process.OutputDataReceived += (_, data) => Take(data.Data);
        process.ErrorDataReceived += (_, data) => Take(data.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Take(string? text)
        {
            if (text is not null)
            {
                line(text);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _starts.CompleteAdding();
        _parent.Join();
        _starts.Dispose();
    }

    // A session of its own: Ctrl-C in a terminal is for the sandbox, which ends its processes itself.
    private static IEnumerable<string> Wrapper(int? user)
    {
        if (NewSession is not null)
        {
            yield return NewSession;
        }

        if (SetPrivileges is null)
        {
            yield break;
        }

        yield return SetPrivileges;
        if (user is { } id)
        {
            foreach (
                var argument in new[] { "--reuid", $"{id}", "--regid", $"{id}", "--clear-groups", "--inh-caps=-all", "--no-new-privs" }
            )
            {
                yield return argument;
            }
        }

        yield return "--pdeathsig";
        yield return "KILL";
        yield return "--";
    }

    private static ProcessStartInfo StartInfo(IReadOnlyList<string> command) =>
        new(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = false,
            WorkingDirectory = "/",
        };
}
