using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KubeLB.Tests.Shared;

/// <summary>What kubectl printed.</summary>
public sealed record KubectlOutput(int ExitCode, string Text, string Errors)
{
    public IReadOnlyList<string> Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The columns of a line, as they are separated by two spaces or more.</summary>
    public IReadOnlyList<string> Columns(int line) => Regex.Split(Lines[line].TrimEnd(), " {2,}");
}

/// <summary>The real kubectl with a kubeconfig of its own. A test that runs it is skipped without it.</summary>
public sealed class KubectlBinary : IDisposable
{
    private static readonly Lazy<string?> Binary = new(() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "kubectl"))
            .FirstOrDefault(File.Exists)
    );

    private readonly string _folder = Directory.CreateTempSubdirectory("kubectl-tests-").FullName;

    /// <summary>Its path; null where there is none.</summary>
    public static string? Location => Binary.Value;

    public KubectlBinary(string kubeconfigYaml) => File.WriteAllText(Path.Combine(_folder, "config"), kubeconfigYaml);

    /// <summary>Runs kubectl to its end.</summary>
    /// <param name="arguments">Arguments, separated by spaces; single quotes hold one together.</param>
    /// <param name="input">Standard input.</param>
    public async Task<KubectlOutput> RunAsync(string arguments, string? input = null)
    {
        using var process = Start(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(deadline.Token);
        return new KubectlOutput(process.ExitCode, await text, await errors);
    }

    /// <summary>Runs kubectl, which must succeed.</summary>
    public async Task<KubectlOutput> OkAsync(string arguments, string? input = null)
    {
        var output = await RunAsync(arguments, input);
        output.ExitCode.Should().Be(0, $"kubectl {arguments} should work, but: {output.Errors}{output.Text}");
        return output;
    }

    /// <summary>Starts kubectl and leaves it running.</summary>
    public Process Start(string arguments)
    {
        Assert.SkipWhen(Binary.Value is null, "kubectl is not on PATH");
        var start = new ProcessStartInfo(Binary.Value!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = Path.Combine(_folder, "config");
        start.Environment["HOME"] = _folder;
        foreach (Match part in Regex.Matches(arguments, "'([^']*)'|(\\S+)"))
        {
            start.ArgumentList.Add(part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value);
        }

        return Process.Start(start)!;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
