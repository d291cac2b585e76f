using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeLB.Guides.Tests.Support;

/// <summary>What a command block printed.</summary>
public sealed record BlockResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Everything, for a failure message.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}{Errors}";
}

/// <summary>
/// Runs the blocks of one page in bash, with <c>set -euo pipefail</c>. Variables, functions and the current folder survive from block to
/// block.
/// </summary>
public sealed partial class GuideShell : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly GuideFolder _folder;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly List<Process> _background = [];
    private int _blocks;

    /// <summary>Creates it.</summary>
    /// <param name="folder">The folder in which the commands run.</param>
    /// <param name="environment">Environment variables of the commands.</param>
    public GuideShell(GuideFolder folder, IReadOnlyDictionary<string, string> environment)
    {
        _folder = folder;
        _environment = environment;
        File.WriteAllText(Path.Combine(folder.State, "variables"), "");
        File.WriteAllText(Path.Combine(folder.State, "folder"), folder.Clone);
    }

    /// <summary>Runs a block to its end.</summary>
    public async Task<BlockResult> RunAsync(GuideBlock block)
    {
        using var process = Start(block);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return new BlockResult(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{block} did not end within {Deadline.TotalSeconds} s: {await output}{await errors}", e);
        }
    }

    /// <summary>Starts a block that runs until the page ends, and waits until it prints a text.</summary>
    public async Task StartAsync(GuideBlock block, string until)
    {
        var process = Start(block);
        _background.Add(process);
        var printed = new List<string>();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                seen.TrySetException(new InvalidOperationException($"{block} ended: {string.Join('\n', printed)}"));
                return;
            }

            lock (printed)
            {
                printed.Add(line.Data);
            }

            if (line.Data.Contains(until, StringComparison.Ordinal))
            {
                seen.TrySetResult();
            }
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (printed)
            {
                printed.Add(line.Data ?? "");
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await seen.Task.WaitAsync(Deadline);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _background)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }
    }

    private Process Start(GuideBlock block)
    {
        var script = Path.Combine(_folder.State, $"block-{++_blocks}.sh");
        File.WriteAllText(script, block.Text.Replace("/tmp/kubelb", _folder.Temporary, StringComparison.Ordinal));
        var names = string.Join(' ', Assignment().Matches(block.Text).Select(match => match.Groups["name"].Value).Distinct());
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(
            $"""
            set -euo pipefail
            . {_folder.State}/variables
            cd "$(cat {_folder.State}/folder)"
            . {script}
            {(names.Length == 0 ? "" : $"declare -p {names} >> {_folder.State}/variables")}
            declare -f >> {_folder.State}/variables
            pwd > {_folder.State}/folder
            """
        );
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["PATH"] = $"{_folder.Programs}:{start.Environment["PATH"]}";
        start.Environment["HOME"] = _folder.State;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    [GeneratedRegex(@"^\s*(?:export )?(?<name>[A-Z_][A-Z0-9_]*)=(?!.*<<)", RegexOptions.Multiline)]
    private static partial Regex Assignment();
}
