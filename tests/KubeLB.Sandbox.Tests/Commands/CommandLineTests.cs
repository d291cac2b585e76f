using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Tests.Commands;

/// <summary>The executable as its users see it.</summary>
public sealed class CommandLineTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("kubelb-sandbox-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task TheDemoEndsWithTheBackendsAnswer()
    {
        var (code, output, error) = await RunAsync("demo", "--dir", _directory);

        error.Should().BeEmpty();
        code.Should().Be(0);
        output.Should().Contain("curl -H \"Host: api.example.com\" http://127.")
            .And.Contain("\"pod\": \"api-")
            .And.MatchRegex(@"my-gateway +kubelb +127\.[0-9.]+ +True")
            .And.Contain("HTTPRoute.gateway.networking.k8s.io")
            .And.NotContain("\u001b[", "redirected output is plain");
    }

    [Fact]
    public async Task UpWritesKubeconfigsSaysReadyAndStopsOnSigterm()
    {
        using var process = Start("up", "--dir", _directory, "--tenants", "2");
        using var deadline = new CancellationTokenSource(Patience);
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("ready", StringComparison.Ordinal))
            {
                break;
            }
        }

        lines.Should().Contain(l => l.StartsWith("ready", StringComparison.Ordinal));
        foreach (var file in new[] { "tenant.kubeconfig", "tenant-2.kubeconfig", "management.kubeconfig", "basic-httproute.yaml" })
        {
            File.Exists(Path.Combine(_directory, file)).Should().BeTrue("{0} is for the user", file);
        }

        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]))
        {
            await kill.WaitForExitAsync(deadline.Token);
        }

        await process.WaitForExitAsync(deadline.Token);
        process.ExitCode.Should().Be(0);
        File.Exists(Path.Combine(_directory, "tenant.kubeconfig")).Should().BeTrue();
    }

    [Fact]
    public async Task ATakenPortIsOneLine()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var (code, _, error) = await RunAsync("cluster", "--port", $"{port}", "--kubeconfig", Path.Combine(_directory, "kubeconfig"));

        code.Should().Be(1);
        error.TrimEnd().Should().NotContain("\n").And.Contain($"{port}").And.Contain("--port");
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenIsOneLine()
    {
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "");

        var (code, _, error) = await RunAsync("up", "--dir", Path.Combine(file, "sub"));

        code.Should().Be(1);
        error.TrimEnd().Should().NotContain("\n").And.Contain(file).And.Contain("--dir");
    }

    [Theory]
    [InlineData("up --nonsense", "--nonsense")]
    [InlineData("up --tenants 0", "1 to 50")]
    [InlineData("up --tenants many", "many")]
    [InlineData("cluster", "--kubeconfig is required")]
    [InlineData("cluster --port 70000 --kubeconfig x", "0 to 65535")]
    [InlineData("nonsense", "nonsense")]
    public async Task ABadCommandLineIsOneLine(string arguments, string hint)
    {
        var (code, _, error) = await RunAsync(arguments.Split(' '));

        code.Should().Be(2);
        error.TrimEnd().Should().NotContain("\n").And.Contain(hint).And.NotContain("   at ");
    }

    [Theory]
    [InlineData("--help", "up", "demo", "cluster")]
    [InlineData("up --help", "--dir", "--tenants", "--verbose")]
    [InlineData("demo --help", "--dir")]
    [InlineData("cluster --help", "--port", "--kubeconfig")]
    public async Task HelpNamesEverything(string arguments, params string[] names)
    {
        var (code, output, _) = await RunAsync(arguments.Split(' '));

        code.Should().Be(0);
        output.Should().ContainAll(names);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        using var deadline = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "kubelb-sandbox.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }
}
