using System.Diagnostics;

namespace KubeLB.Sandbox.Commands;

/// <summary>Prints the parts of a sandbox while they start, each with the seconds since the command was entered.</summary>
internal sealed class StartProgress
{
    private readonly Output _output;
    private readonly TimeSpan _before;
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Prints that the sandbox starts.</summary>
    public StartProgress(Output output)
    {
        _output = output;
        using var process = Process.GetCurrentProcess();
        _before = DateTime.Now - process.StartTime;
        output.Line("Starting the sandbox; seconds since the start:");
    }

    /// <summary>Seconds since the process started.</summary>
    public double Seconds => (_before + Stopwatch.GetElapsedTime(_start)).TotalSeconds;

    /// <summary>Prints the name of a part that starts.</summary>
    public void Starting(string part) => _output.Line($"{Seconds, 6:0.0}  {part}");
}
