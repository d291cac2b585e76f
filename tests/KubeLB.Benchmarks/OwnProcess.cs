using System.Diagnostics;

namespace KubeLB.Benchmarks;

/// <summary>This program again, for what can only be measured in a process of its own.</summary>
internal sealed class OwnProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _arguments;

    private OwnProcess(string[] arguments, bool isAsked)
    {
        var path = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path to start it by again.");
        _arguments = string.Join(' ', arguments);
        _process =
            Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardInput = isAsked })
            ?? throw new InvalidOperationException($"{path} did not start.");
    }

    /// <summary>Runs it to its end and returns what it prints.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        await using var own = new OwnProcess(arguments, isAsked: false);
        var output = await own._process.StandardOutput.ReadToEndAsync();
        await own.EndAsync();
        return output.Trim();
    }

    /// <summary>Starts one that prints a line, and then answers each line with a line until its input ends.</summary>
    public static async Task<(OwnProcess Process, string FirstLine)> StartAsync(params string[] arguments)
    {
        var own = new OwnProcess(arguments, isAsked: true);
        return (own, await own.ReadLineAsync());
    }

    /// <summary>Sends a line and returns the answer.</summary>
    public async Task<string> AskAsync(string question)
    {
        await _process.StandardInput.WriteLineAsync(question);
        await _process.StandardInput.FlushAsync();
        return await ReadLineAsync();
    }

    /// <summary>Waits for its end, which the end of its input brings about.</summary>
    public async Task EndAsync()
    {
        if (_process.StartInfo.RedirectStandardInput)
        {
            _process.StandardInput.Close();
        }

        await _process.WaitForExitAsync();
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{_arguments} ended with exit code {_process.ExitCode}.");
        }
    }

    /// <summary>Kills the process if it runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"{_arguments} ended without an answer.");
}
