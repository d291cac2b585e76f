using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeLB.Tests.Shared;

/// <summary>What helm printed.</summary>
public sealed record HelmOutput(int ExitCode, string Text, string Errors);

/// <summary>The real helm with a kubeconfig and folders of its own. A test that runs it is skipped where there is none.</summary>
public sealed class HelmBinary : IDisposable
{
    private const string Variable = "KUBELB_HELM";

    private static readonly Lazy<string?> Binary = new(() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
            ? File.Exists(given) ? given : null
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "helm")).FirstOrDefault(File.Exists));

    private readonly string _folder = Directory.CreateTempSubdirectory("helm-tests-").FullName;

    public HelmBinary(string kubeconfigYaml) => File.WriteAllText(Path.Combine(_folder, "config"), kubeconfigYaml);

    /// <summary>Runs helm to its end.</summary>
    /// <param name="arguments">Arguments, separated by spaces; single quotes hold one together.</param>
    public async Task<HelmOutput> RunAsync(string arguments)
    {
        Skip.If(Binary.Value is null, $"helm is neither at {Variable} nor on PATH");
        var start = new ProcessStartInfo(Binary.Value!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(_folder, "config");
        start.Environment["HOME"] = _folder;
        foreach (var folder in new[] { "CACHE", "CONFIG", "DATA" })
        {
            start.Environment[$"HELM_{folder}_HOME"] = Path.Combine(_folder, folder);
        }

        foreach (Match part in Regex.Matches(arguments, "'([^']*)'|(\\S+)"))
        {
            start.ArgumentList.Add(part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await process.WaitForExitAsync(deadline.Token);
        return new HelmOutput(process.ExitCode, await text, await errors);
    }

    /// <summary>Runs helm, which must succeed.</summary>
    public async Task<HelmOutput> OkAsync(string arguments)
    {
        var output = await RunAsync(arguments);
        output.ExitCode.Should().Be(0, $"helm {arguments} should work, but: {output.Errors}{output.Text}");
        return output;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
