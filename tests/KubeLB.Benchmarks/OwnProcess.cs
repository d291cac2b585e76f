using System.Diagnostics;

namespace KubeLB.Benchmarks;

/// <summary>Runs this program again, for what can only be measured in a fresh process.</summary>
internal static class OwnProcess
{
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var path = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path to start it by again.");
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{path} did not start.");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output.Trim()
            : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with exit code {process.ExitCode}.");
    }
}
