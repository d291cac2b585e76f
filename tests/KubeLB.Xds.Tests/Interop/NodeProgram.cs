using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>A Node.js program of tests/interop/xds, which prints a JSON object per line.</summary>
internal sealed class NodeProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _ended;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly ConcurrentQueue<JsonElement> _lines = new();

    private NodeProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is { Length: > 0 } line)
            {
                _lines.Enqueue(JsonDocument.Parse(line).RootElement);
            }
        };
        process.ErrorDataReceived += (_, e) => _errors.Enqueue(e.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _ended = process.WaitForExitAsync();
    }

    public static string Folder => Path.Combine(SourceTree.Root, "tests", "interop", "xds");

    public string Errors => string.Join('\n', _errors);

    /// <summary>Skips the test where Node.js or the packages are missing.</summary>
    public static void SkipUnlessInstalled()
    {
        Skip.If(FindNode() is null, "node is not on PATH");
        Skip.IfNot(
            Directory.Exists(Path.Combine(Folder, "node_modules", "@grpc", "grpc-js-xds")),
            "tests/interop/xds/node_modules is missing: run npm ci in tests/interop/xds");
    }

    public static NodeProgram Start(string script, IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        var start = new ProcessStartInfo(FindNode()!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        start.ArgumentList.Add(script);
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new NodeProgram(Process.Start(start)!);
    }

    public void Say(string line) => _process.StandardInput.WriteLine(line);

    /// <summary>The next line that has <paramref name="property"/>; others before it are dropped.</summary>
    public async Task<JsonElement> NextAsync(string property, Func<JsonElement, bool>? fits = null)
    {
        JsonElement? found = null;
        await Patience.UntilAsync(
            () =>
            {
                // First whether it has ended (its output has been read by then), or a last line could be overlooked.
                var ended = _ended.IsCompleted;
                while (_lines.TryDequeue(out var line))
                {
                    if (line.TryGetProperty(property, out var value) && (fits?.Invoke(value) ?? true))
                    {
                        found = line;
                        return true;
                    }
                }

                return ended;
            },
            $"a line with {property}",
            () => Errors);
        return found ?? throw new InvalidOperationException($"The program ended without a line with {property}:\n{Errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _ended;
        _process.Dispose();
    }

    private static string? FindNode() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node"))
            .FirstOrDefault(File.Exists);
}
