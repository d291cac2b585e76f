using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KubeLB.Sandbox.Commands;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Commands;

/// <summary>Tests of the executable.</summary>
public sealed partial class CommandLineTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("kubelb-sandbox-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Demo_ends_with_the_response_of_the_backend()
    {
        var (code, output, error) = await RunAsync("demo", "--dir", _directory);

        error.Should().BeEmpty();
        code.Should().Be(0);
        output
            .Should()
            .Contain("curl -H \"Host: api.example.com\" http://127.")
            .And.Contain("\"pod\": \"api-")
            .And.MatchRegex(@"my-gateway +kubelb +127\.[0-9.]+ +True")
            .And.Contain("HTTPRoute.gateway.networking.k8s.io")
            .And.NotContain("\u001b[", "redirected output is plain");
    }

    [Fact]
    public async Task Demo_with_Envoy_shows_the_access_log()
    {
        var (code, output, error) = await RunAsync("demo", "--dir", _directory, "--envoy", EnvoyBinary.Require());

        error.Should().BeEmpty();
        code.Should().Be(0);
        output
            .Should()
            .MatchRegex("Tenant proxies: Envoy [0-9.]+ \\(.*\\), each ")
            .And.MatchRegex("tenant proxy \\(Envoy\\) +[0-9.]+:[0-9]+")
            .And.MatchRegex("Access log of Envoy in pod envoy-tenant-t1-.*:\n +\\[.*\"GET / HTTP/1.1\" 200");
    }

    [Theory]
    [InlineData(1, "/bin/true is not an Envoy binary", "--envoy", "/bin/true")]
    [InlineData(2, "mutually exclusive", "--envoy", "/bin/true", "--stand-in")]
    public async Task Invalid_Envoy_option_is_an_error(int expected, string words, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(["up", "--dir", _directory, .. arguments]);

        code.Should().Be(expected);
        error.Trim().Should().Contain(words).And.NotContain("\n");
    }

    [Fact]
    public async Task Up_writes_kubeconfigs_and_stops_on_SIGTERM()
    {
        using var process = Start("up", "--dir", _directory, "--tenants", "2");
        using var deadline = new CancellationTokenSource(Deadline);
        var lines = await UntilReadyAsync(process, deadline.Token);

        lines[0].Should().StartWith("Starting the sandbox", "the user waits");
        string[] parts = ["management cluster", "cluster of tenant t1", "cluster of tenant t2", "manager", "2 CCMs"];
        var starting = lines.Select(l => Starting().Match(l).Groups["part"].Value).Where(part => part.Length > 0);
        starting.Should().ContainInOrder(parts);
        lines[^1].Should().MatchRegex("^ready after [0-9.]+ s; ");
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

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    public async Task Up_prints_whole_commands_on_a_terminal(int columns)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script has other options on this system");
        using var terminal = StartOnTerminal(columns, "up", "--dir", _directory, "--stand-in");
        using var deadline = new CancellationTokenSource(Deadline);
        var output = string.Join('\n', await UntilReadyAsync(terminal, deadline.Token));
        await terminal.StandardInput.WriteAsync('\u0003');
        await terminal.StandardInput.FlushAsync(deadline.Token);
        var rest = await terminal.StandardOutput.ReadToEndAsync(deadline.Token);
        await terminal.WaitForExitAsync(deadline.Token);

        output.Should().Contain("\u001b[", "a terminal has colours");
        var lines = Colours().Replace(output, "").Split('\n');
        lines.Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Should().OnlyContain(line => line.Length <= 80);
        lines
            .Should()
            .ContainInOrder(
                $"  export KUBECONFIG={_directory}/tenant.kubeconfig",
                $"  kubectl apply -f {_directory}/basic-httproute.yaml",
                "  ADDRESS=$(kubectl get gateway my-gateway \\",
                "    -o jsonpath='{.status.addresses[0].value}')",
                "  curl -f --retry 9 --retry-delay 1 --retry-all-errors \\",
                "    -H \"Host: api.example.com\" http://$ADDRESS",
                $"  MANAGEMENT={_directory}/management.kubeconfig",
                "  kubectl --kubeconfig $MANAGEMENT -n tenant-t1 \\",
                "    get routes,gateways,httproutes,services"
            );
        rest.Should().Contain("stopping");
        terminal.ExitCode.Should().Be(0, "Ctrl-C is the way to stop it");
    }

    [Fact]
    public async Task Second_sandbox_in_a_used_directory_is_rejected()
    {
        using var first = Start("up", "--dir", _directory);
        using var deadline = new CancellationTokenSource(Deadline);
        await UntilReadyAsync(first, deadline.Token);
        var kubeconfig = await File.ReadAllTextAsync(Path.Combine(_directory, "tenant.kubeconfig"));

        var (code, _, error) = await RunAsync("up", "--dir", _directory);

        code.Should().Be(1);
        error
            .TrimEnd()
            .Should()
            .NotContain("\n")
            .And.Be($"Another sandbox uses directory {_directory}; stop it, or choose another directory with --dir.");
        (await File.ReadAllTextAsync(Path.Combine(_directory, "tenant.kubeconfig"))).Should().Be(kubeconfig);

        first.Kill();
        await first.WaitForExitAsync(deadline.Token);
        File.Exists(Path.Combine(_directory, ".lock")).Should().BeTrue("the killed process did not remove it");
        using var next = Start("up", "--dir", _directory);
        (await UntilReadyAsync(next, deadline.Token)).Should().Contain(line => line.StartsWith("ready", StringComparison.Ordinal));
        next.Kill();
        await next.WaitForExitAsync(deadline.Token);
    }

    [Fact]
    public async Task Successful_demo_removes_its_directory()
    {
        var (code, output, _) = await RunWithTemporaryFilesInAsync(_directory, "demo");

        code.Should().Be(0);
        Directory.GetFileSystemEntries(_directory, "kubelb-*").Should().BeEmpty();
        output.Should().NotContain(_directory);
    }

    [Fact]
    public async Task Stopped_demo_prints_the_directory_of_its_logs()
    {
        using var process = Start(["demo"], _directory);
        using var deadline = new CancellationTokenSource(Deadline);
        var line = "";
        while (line?.StartsWith("Sandbox started", StringComparison.Ordinal) == false)
        {
            line = await process.StandardOutput.ReadLineAsync(deadline.Token);
        }

        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]))
        {
            await kill.WaitForExitAsync(deadline.Token);
        }

        var rest = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        var folder = Directory.GetDirectories(_directory, "kubelb-*").Should().ContainSingle().Subject;
        rest.Should().Contain($"Kubeconfigs and logs: {folder}");
        File.Exists(Path.Combine(folder, "manager.log")).Should().BeTrue();
    }

    [Fact]
    public async Task Ccm_starts_after_its_tenant_namespace_exists()
    {
        var (code, _, _) = await RunAsync("demo", "--dir", _directory);

        code.Should().Be(0);
        foreach (var log in Directory.GetFiles(_directory, "ccm-*.log"))
        {
            (await File.ReadAllLinesAsync(log))
                .Should()
                .NotBeEmpty()
                .And.NotContain(line =>
                    line.Contains("WARN", StringComparison.Ordinal) && line.Contains("tenant-t1", StringComparison.Ordinal)
                );
        }
    }

    [Fact]
    public async Task Used_port_is_a_one_line_error()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var (code, _, error) = await RunAsync("cluster", "--port", $"{port}", "--kubeconfig", Path.Combine(_directory, "kubeconfig"));

        code.Should().Be(1);
        error.TrimEnd().Should().NotContain("\n").And.Contain($"{port}").And.Contain("--port");
    }

    [Fact]
    public async Task Unwritable_directory_is_a_one_line_error()
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
    [InlineData("up --tenants many", "--tenants must be 1 to 50, not 'many'. See --help.")]
    [InlineData("up --dir ", "--dir requires a directory")]
    [InlineData("up --ccm-arg=--node-address-type=NodeIP", "kubelb-ccm: --node-address-type: invalid value \"NodeIP\"; must be")]
    [InlineData("up --tracing-endpoint=collector:4317", "kubelb-ccm: --tracing-endpoint: invalid URL; must be the http or https URL")]
    [InlineData("up --manager-arg=--nonsense", "kubelb-manager: Unrecognized command or argument '--nonsense'. See --help.")]
    [InlineData("demo --dir ", "--dir requires a directory")]
    [InlineData("cluster --port x --kubeconfig x", "--port must be 0 to 65535, not 'x'. See --help.")]
    [InlineData("cluster", "--kubeconfig is required")]
    [InlineData("cluster --port 70000 --kubeconfig x", "0 to 65535")]
    [InlineData("nonsense", "There is no command or option \"nonsense\"; use up, demo or cluster. See --help.")]
    [InlineData("upp", "There is no command \"upp\". Did you mean \"up\"? See --help.")]
    [InlineData("--version up", "--version option cannot be combined with other arguments. See --help.")]
    public async Task Invalid_command_line_is_a_one_line_error(string arguments, string hint)
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
    public async Task Help_lists_commands_and_options(string arguments, params string[] names)
    {
        var (code, output, _) = await RunAsync(arguments.Split(' '));

        code.Should().Be(0);
        output.Should().ContainAll(names);
    }

    [Fact]
    public async Task Empty_command_line_prints_the_help()
    {
        var (code, output, error) = await RunAsync();

        code.Should().Be(0);
        output.Should().ContainAll("Usage:", "up", "demo", "cluster");
        error.Should().BeEmpty();
    }

    private static async Task<List<string>> UntilReadyAsync(Process process, CancellationToken stop)
    {
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(stop) is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("ready", StringComparison.Ordinal))
            {
                break;
            }
        }

        return lines;
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunWithTemporaryFilesInAsync(null, arguments);

    private static async Task<(int Code, string Output, string Error)> RunWithTemporaryFilesInAsync(
        string? temporary,
        params string[] arguments
    )
    {
        using var process = Start(arguments, temporary);
        using var deadline = new CancellationTokenSource(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output, await error);
    }

    // The pseudo terminal of script(1).
    private static Process StartOnTerminal(int columns, params string[] arguments)
    {
        var command = string.Join(
            ' ',
            arguments.Prepend(Path.Combine(AppContext.BaseDirectory, "kubelb-sandbox.dll")).Prepend("dotnet").Select(Shell.Word)
        );
        var start = new ProcessStartInfo("script", ["-qec", $"stty cols {columns} rows 24; exec {command}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["TERM"] = "xterm-256color" },
        };
        start.Environment.Remove("NO_COLOR");
        return Process.Start(start)!;
    }

    [GeneratedRegex("^ *[0-9]+\\.[0-9]  (?<part>.+)$")]
    private static partial Regex Starting();

    [GeneratedRegex("\u001b\\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Colours();

    private static Process Start(params string[] arguments) => Start(arguments, null);

    private static Process Start(string[] arguments, string? temporary)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "kubelb-sandbox.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (temporary is not null)
        {
            start.Environment["TMPDIR"] = temporary;
        }

        return Process.Start(start)!;
    }
}
