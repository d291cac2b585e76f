using System.Diagnostics;
using System.Text.RegularExpressions;
using KubeLB.Guides.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Installation;

/// <summary>What commands printed.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Everything, for a failure message.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}{Errors}";
}

/// <summary>
/// The commands of <c>docs/operator/install.md</c> and <c>docs/operator/uninstall.md</c>: each block after a comment <c>step: NAME</c> runs
/// in a bash of its own, in a folder like a clone, with the real Helm and kubectl.
/// </summary>
internal sealed partial class GuideSteps : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly GuideFolder _folder = new();
    private readonly Dictionary<string, string> _blocks;
    private readonly IReadOnlyDictionary<string, string> _placeholders;

    /// <summary>Reads the pages.</summary>
    /// <param name="kubeconfigs">Content of the kubeconfigs that the pages name.</param>
    /// <param name="placeholders">What the commands contain that only this test can know, with its value: all that differs from the
    /// pages.</param>
    public GuideSteps(IReadOnlyDictionary<string, string> kubeconfigs, IReadOnlyDictionary<string, string> placeholders)
    {
        _placeholders = placeholders;
        _blocks = new[] { "install.md", "uninstall.md" }
            .SelectMany(page => Step().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operator", page))))
            .ToDictionary(step => step.Groups["name"].Value, step => step.Groups["text"].Value);
        foreach (var (name, content) in kubeconfigs)
        {
            File.WriteAllText(Path.Combine(_folder.Clone, name), content);
        }
    }

    /// <summary>The steps in the order of the pages.</summary>
    public IReadOnlyCollection<string> Names => _blocks.Keys;

    /// <summary>The commands of a step, one a line.</summary>
    public IReadOnlyList<string> Commands(string step) => Block(step).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a step, which must succeed.</summary>
    /// <returns>Its standard output.</returns>
    public async Task<string> RunAsync(string step)
    {
        var result = await RunCommandsAsync(Block(step));
        result.ExitCode.Should().Be(0, $"step {step} should work, but: {result}");
        return result.Output;
    }

    /// <summary>Runs a step that only reads until it succeeds.</summary>
    /// <returns>Its standard output.</returns>
    public async Task<string> RunUntilItSucceedsAsync(string step) =>
        (await Eventually.GetAsync($"step {step} succeeds", () => RunCommandsAsync(Block(step)), result => result.ExitCode == 0)).Output;

    /// <summary>Runs commands in the folder.</summary>
    public async Task<CommandResult> RunCommandsAsync(string commands)
    {
        var start = new ProcessStartInfo("bash", ["-c", "set -euo pipefail\n" + commands])
        {
            WorkingDirectory = _folder.Clone,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder.Programs}:{start.Environment["PATH"]}";
        start.Environment["HOME"] = _folder.State;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{commands} did not end: {await output}{await errors}", e);
        }

        return new CommandResult(process.ExitCode, await output, await errors);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private string Block(string step) =>
        _placeholders.Aggregate(
            _blocks[step],
            (text, placeholder) => text.Replace(placeholder.Key, placeholder.Value, StringComparison.Ordinal)
        );

    [GeneratedRegex(
        @"<!-- step: (?<name>[\w-]+) -->\n(<!-- [^\n]* -->\n)*```bash\n(?<text>.*?)```",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Step();
}
