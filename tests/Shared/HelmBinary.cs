using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeLB.Tests.Shared;

/// <summary>What helm printed.</summary>
public sealed record HelmOutput(int ExitCode, string Text, string Errors);

/// <summary>
/// The real Helm: what <c>KUBELB_HELM</c> names, else <c>helm</c> on PATH. It has folders of its own, and the kubeconfig of a cluster if it
/// is given one. A test that runs it is skipped without it.
/// </summary>
public sealed class HelmBinary : IDisposable
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("KUBELB_HELM") is { Length: > 0 } named ? named : null;

    private static readonly string? Found =
        Named
        ?? (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "helm"))
            .FirstOrDefault(File.Exists);

    private static readonly Lazy<string> Version = new(() =>
    {
        using var process = Process.Start(
            new ProcessStartInfo(Found!, ["version", "--template", "{{.Version}}"]) { RedirectStandardOutput = true }
        )!;
        return process.StandardOutput.ReadToEnd();
    });

    private readonly string _folder = Directory.CreateTempSubdirectory("helm-tests-").FullName;

    /// <summary>Its path; null where there is none.</summary>
    public static string? Location => Found;

    public HelmBinary(string? kubeconfigYaml = null) => File.WriteAllText(Path.Combine(_folder, "config"), kubeconfigYaml ?? "");

    /// <summary>Runs Helm to its end.</summary>
    /// <param name="arguments">Arguments, separated by spaces; single quotes hold one together.</param>
    public Task<HelmOutput> RunAsync(string arguments) => RunAsync([.. Split(arguments)]);

    /// <summary>Runs Helm to its end.</summary>
    public async Task<HelmOutput> RunAsync(params string[] arguments)
    {
        Assert.SkipWhen(Found is null, "no helm binary: none is on PATH, and KUBELB_HELM names none");
        File.Exists(Found).Should().BeTrue($"KUBELB_HELM says {Found}");
        Assert.SkipUnless(
            Version.Value.StartsWith("v4.", StringComparison.Ordinal),
            $"no helm binary of version 4: {Found} is {Version.Value}"
        );
        var start = new ProcessStartInfo(Found!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = Path.Combine(_folder, "config");
        start.Environment["HOME"] = _folder;
        foreach (var folder in new[] { "CACHE", "CONFIG", "DATA" })
        {
            start.Environment[$"HELM_{folder}_HOME"] = Path.Combine(_folder, folder);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(deadline.Token);
        return new HelmOutput(process.ExitCode, await text, await errors);
    }

    /// <summary>Runs Helm, which must succeed.</summary>
    /// <param name="arguments">Arguments, separated by spaces; single quotes hold one together.</param>
    public Task<HelmOutput> OkAsync(string arguments) => OkAsync([.. Split(arguments)]);

    /// <summary>Runs Helm, which must succeed.</summary>
    public async Task<HelmOutput> OkAsync(params string[] arguments)
    {
        var output = await RunAsync(arguments);
        output.ExitCode.Should().Be(0, $"helm {string.Join(' ', arguments)} should work, but: {output.Errors}{output.Text}");
        return output;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<string> Split(string arguments) =>
        Regex.Matches(arguments, "'([^']*)'|(\\S+)").Select(part => part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value);
}
