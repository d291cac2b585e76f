using System.Diagnostics;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Kubectl;

/// <summary>What kubectl printed.</summary>
public sealed record Output(int ExitCode, string Text, string Errors)
{
    public IReadOnlyList<string> Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The columns of a line, as they are separated by two spaces or more.</summary>
    public IReadOnlyList<string> Columns(int line) => System.Text.RegularExpressions.Regex.Split(Lines[line].TrimEnd(), " {2,}");
}

/// <summary>A cluster and the real kubectl.</summary>
public sealed class KubectlFixture : IAsyncLifetime, IDisposable
{
    private static readonly Lazy<string?> Binary = new(() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists));

    private readonly string _folder = Directory.CreateTempSubdirectory("kubectl-tests-").FullName;

    public EmbeddedCluster Cluster { get; private set; } = null!;

    public Api Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await EmbeddedCluster.StartAsync();
        Api = new Api(Cluster);
        await File.WriteAllTextAsync(Path.Combine(_folder, "config"), Cluster.KubeconfigYaml);
    }

    public async Task DisposeAsync() => await Cluster.DisposeAsync();

    public void Dispose()
    {
        Api.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs kubectl to its end; the test is skipped where there is none.</summary>
    /// <param name="arguments">Arguments, separated by spaces; quotes hold one together.</param>
    /// <param name="input">Standard input.</param>
    public async Task<Output> RunAsync(string arguments, string? input = null)
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
        return new Output(process.ExitCode, await text, await errors);
    }

    /// <summary>Runs kubectl, which must succeed.</summary>
    public async Task<Output> OkAsync(string arguments, string? input = null)
    {
        var output = await RunAsync(arguments, input);
        output.ExitCode.Should().Be(0, $"kubectl {arguments} should work, but: {output.Errors}{output.Text}");
        return output;
    }

    /// <summary>Starts kubectl and leaves it running.</summary>
    public Process Start(string arguments)
    {
        Skip.If(Binary.Value is null, "kubectl is not on PATH");
        var start = new ProcessStartInfo(Binary.Value!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(_folder, "config");
        start.Environment["HOME"] = _folder;
        foreach (System.Text.RegularExpressions.Match part in System.Text.RegularExpressions.Regex.Matches(arguments, "'([^']*)'|(\\S+)"))
        {
            start.ArgumentList.Add(part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value);
        }
        return Process.Start(start)!;
    }
}
