using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// What <c>check</c> of both executables, which <c>helm test</c> runs, says when something is wrong. The good case is in the end-to-end
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
    public async Task Manager_of_which_no_replica_runs_fails()
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", "check", "--kubeconfig", Kubeconfig, "--timeout", "0");

        run.ExitCode.Should().Be(1, run.Error);
        run.Output.Should()
            .Contain("ok    This cluster: the API server responds")
            .And.Contain("FAIL  Leader: Lease kubelb/kubelb-manager does not exist: no replica has started.")
            .And.EndWith("1 of 5 checks failed.\n");
    }

    [Fact]
    public async Task Ccm_that_never_reported_fails_with_what_to_do()
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
    public async Task Api_server_that_does_not_answer_is_a_line_without_a_stack()
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
    public async Task What_cannot_be_checked_is_told_in_a_line(string flag, string value, int exitCode)
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", "check", flag, value);

        run.ExitCode.Should().Be(exitCode);
        run.Error.Trim().Should().Contain(value).And.NotContain("\n");
    }
}
