using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// The output of <c>check</c> of both executables, which <c>helm test</c> runs, for failures. The success case is in the end-to-end
/// tests.
/// </summary>
public sealed class CheckTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kubelb-check-");
    private EmbeddedCluster.EmbeddedCluster _cluster = null!;

    private string Kubeconfig => Path.Combine(_folder.FullName, "config");

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        await _cluster.InstallCrdsAsync(
            new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(f => Directory.GetFiles(Path.Combine(SourceTree.Root, f), "*_*.yaml"))
                .Select(File.ReadAllText)
        );
        await File.WriteAllTextAsync(Kubeconfig, _cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Manager_check_without_a_running_replica_fails()
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", "check", "--kubeconfig", Kubeconfig, "--timeout", "0");

        run.ExitCode.Should().Be(1, run.Error);
        run.Output.Should()
            .Contain("ok    This cluster: the API server responds")
            .And.Contain("FAIL  Leader: Lease kubelb/kubelb-manager does not exist: no replica has started.")
            .And.EndWith("1 of 5 checks failed.\n");
    }

    [Fact]
    public async Task CCM_check_before_the_first_report_fails_with_the_remedy()
    {
        var run = await ProgramRun.OfAsync(
            "kubelb-ccm",
            "check",
            "--cluster-name",
            "shop",
            "--kubeconfig",
            Kubeconfig,
            "--kubelb-kubeconfig",
            Kubeconfig,
            "--enable-gateway-api",
            "--timeout",
            "0"
        );

        run.ExitCode.Should().Be(1, run.Error);
        run.Output.Should()
            .Contain("FAIL  GatewayClass kubelb: does not exist.")
            .And.Contain("Ask the administrator to run: kubectl describe tenant shop.")
            .And.Contain("FAIL  CCM: has not reported to the management cluster.")
            .And.Contain("FAIL  Leader: Lease kube-system/kubelb-ccm does not exist")
            .And.EndWith("4 of 6 checks failed.\n");
    }

    [Fact]
    public async Task Unreachable_API_server_is_reported_in_one_line_without_stack_trace()
    {
        await _cluster.DisposeAsync();

        var run = await ProgramRun.OfAsync("kubelb-manager", "check", "--kubeconfig", Kubeconfig, "--timeout", "0");

        run.ExitCode.Should().Be(1);
        run.Output.Should()
            .Contain("FAIL  This cluster: the request to the API server failed: Connection refused")
            .And.NotContain("   at ");
        run.Error.Should().BeEmpty();
    }

    [Theory]
    [InlineData("--kubeconfig", "/no/such/file", 1)]
    [InlineData("--timeout", "soon", 2)]
    public async Task Invalid_check_argument_is_reported_in_one_line(string flag, string value, int exitCode)
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", "check", flag, value);

        run.ExitCode.Should().Be(exitCode);
        run.Error.Trim().Should().Contain(value).And.NotContain("\n");
    }
}
