using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// Starts processes that end with this process, also if it is killed (with util-linux's setpriv). The kernel terminates a child with the
/// thread that started it, so one thread starts all processes and runs until this is disposed.
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

    /// <summary>Whether processes can run as another user, without privileges.</summary>
    public static bool CanDropPrivileges => SetPrivileges is not null && Environment.IsPrivilegedProcess;

    /// <summary>Whether a file or directory is accessible to all users, including its parent directories.</summary>
    public static bool IsAccessibleToAll(string path)
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

    /// <summary>Finds a program on PATH or in the sbin directories; null if not found.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Concat(["/usr/sbin", "/sbin"])
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a command and waits for its exit.</summary>
    /// <returns>Its exit code and output.</returns>
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

    /// <summary>Runs a command and waits for its exit.</summary>
    /// <exception cref="IOException">The command failed.</exception>
    public static async Task<string> ExpectAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var (code, output) = await RunAsync(command, cancellationToken).ConfigureAwait(false);
        return code == 0 ? output : throw new IOException($"\"{string.Join(' ', command)}\" failed: {output.Trim()}");
    }

    /// <summary>Starts a command that ends with this process. The caller disposes it.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="user">User and group id, without capabilities; null for those of this process.</param>
    /// <param name="within">Command prefix, for example to enter a network namespace, which needs the privileges that are dropped.</param>
    /// <param name="line">Receives the output lines. Called from any thread.</param>
    /// <exception cref="IOException">The process cannot be started.</exception>
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
            throw new IOException($"Cannot start {info.FileName}: {e.Message}", e);
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

    public void Dispose()
    {
        _starts.CompleteAdding();
        _parent.Join();
        _starts.Dispose();
    }

    // A new session: Ctrl-C in a terminal must only signal the sandbox, which stops its processes.
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

/// <summary>Signals to processes.</summary>
internal static class Signals
{
    private const int SigTerm = 15;

    /// <summary>Sends SIGTERM to a process, unless it has exited.</summary>
    public static void Terminate(Process process)
    {
        if (!process.HasExited)
        {
            _ = Send(process.Id, SigTerm);
        }
    }

    /// <summary>Sends SIGKILL to a process, unless it has exited.</summary>
    public static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int process, int signal);
}
