using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace KubeLB.Tests.Shared;

/// <summary>A Node.js program of tests/interop/xds, which prints a JSON object per line.</summary>
public sealed class NodeProgram : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly Task _ended;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Channel<JsonElement> _lines = Channel.CreateUnbounded<JsonElement>();

    private NodeProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Read(e.Data);
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
        Assert.SkipWhen(FindNode() is null, "node is not on PATH");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Folder, "node_modules", "@grpc", "grpc-js-xds")),
            "tests/interop/xds/node_modules is missing: run npm ci in tests/interop/xds"
        );
    }

    public static NodeProgram Start(string script, params string[] args) => Start(script, new Dictionary<string, string>(), args);

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

    /// <summary>The next line that has <paramref name="property"/> and fits; others before it are dropped.</summary>
    public Task<JsonElement> NextAsync(string property, Func<JsonElement, bool>? fits = null) =>
        NextLineAsync($"a line with {property}", line => line.TryGetProperty(property, out var value) && (fits?.Invoke(value) ?? true));

    /// <summary>The next line that fits; others before it are dropped.</summary>
    public async Task<JsonElement> NextLineAsync(string what, Func<JsonElement, bool> fits)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var last = default(JsonElement);
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(deadline.Token))
            {
                last = line;
                if (fits(line))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Not within {Deadline.TotalSeconds} s: {what}. Last line: {last}\n{Errors}");
        }

        await _ended;
        throw new InvalidOperationException($"The program ended without {what}. Last line: {last}\n{Errors}");
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
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node"))
            .FirstOrDefault(File.Exists);

    // The end of the output comes as null, after its last line.
    private void Read(string? line)
    {
        if (line is null)
        {
            _lines.Writer.TryComplete();
        }
        else if (line.Length > 0)
        {
            _lines.Writer.TryWrite(JsonDocument.Parse(line).RootElement);
        }
    }
}
