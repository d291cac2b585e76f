using System.Diagnostics;

namespace KubeLB.TestClusters.Envtest;

/// <summary>A server process that ends with the test run, however that ends, and whose output is kept for the error message.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int KeptLines = 30;

    // The shell is replaced by the server; its background process waits for the end of its input, when the test host ends, and kills the
    // server.
    private const string Guarded = "exec 3<&0; (cat <&3 > /dev/null; kill -9 $$) & exec \"$@\" 3<&- < /dev/null";

    private readonly Process _process;
    private readonly Queue<string> _output = new();

    private ChildProcess(Process process) => _process = process;

    /// <summary>Whether it is still running.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>The last lines that it printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    public static ChildProcess Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Guarded, "sh", program, .. arguments]) { RedirectStandardInput = true };
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var child = new ChildProcess(Process.Start(start)!);
        child._process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => child.Dispose();
        return child;
    }

    public void Dispose()
    {
        if (IsRunning)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.Enqueue(line);
            if (_output.Count > KeptLines)
            {
                _output.Dequeue();
            }
        }
    }
}
