using KubeLB.Ccm.Hosting;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Tests.Hosting;

public sealed class CcmCommandTests
{
    [Fact]
    public void Options_without_flags_have_the_documented_defaults()
    {
        var options = Parse("--cluster-name", "t1");

        options
            .Should()
            .Be(
                new CcmOptions
                {
                    ClusterName = "t1",
                    KubelbKubeconfig = "/home/nonroot/.kube/kubelb",
                    Kubeconfig = "",
                    NodeAddressType = "ExternalIP",
                    EnableGatewayApi = false,
                    UseGatewayClass = true,
                    EnableLeaderElection = true,
                    LeaderElectionNamespace = "",
                    MetricsAddress = ":9445",
                    HealthProbeBindAddress = ":8081",
                    LogLevel = LogLevel.Information,
                }
            );
    }

    [Fact]
    public void Switch_with_equals_sign_takes_its_value()
    {
        var options = Parse("--cluster-name=t1", "--use-gateway-class=false", "--enable-leader-election=false", "--enable-gateway-api");

        options.UseGatewayClass.Should().BeFalse();
        options.EnableLeaderElection.Should().BeFalse();
        options.EnableGatewayApi.Should().BeTrue();
    }

    [Fact]
    public void ReferenceGrants_and_secret_synchronizer_are_disabled_by_default()
    {
        Parse("--cluster-name", "t1").Should().Match<CcmOptions>(o => !o.EnforceReferenceGrants && !o.EnableSecretSynchronizer);
        Parse("--cluster-name", "t1", "--enforce-reference-grants", "--enable-secret-synchronizer")
            .Should()
            .Match<CcmOptions>(o => o.EnforceReferenceGrants && o.EnableSecretSynchronizer);
    }

    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("info", LogLevel.Information)]
    [InlineData("error", LogLevel.Error)]
    [InlineData("1", LogLevel.Debug)]
    public void Log_level_accepts_the_values_of_zap(string level, LogLevel expected) =>
        Parse("--cluster-name", "t1", "--zap-log-level", level).LogLevel.Should().Be(expected);

    [Fact]
    public async Task Help_lists_every_flag()
    {
        var run = await ProgramRun.OfAsync("kubelb-ccm", "--help");

        run.ExitCode.Should().Be(0);
        run.Output.Should()
            .ContainAll(
                "--cluster-name",
                "--kubelb-kubeconfig",
                "--kubeconfig",
                "--node-address-type",
                "--enable-gateway-api",
                "--install-gateway-api-crds",
                "--gateway-api-crds-channel",
                "--use-gateway-class",
                "--disable-gateway-controller",
                "--disable-httproute-controller",
                "--disable-grpcroute-controller",
                "--disable-ingress-controller",
                "--enable-secret-synchronizer",
                "--enforce-reference-grants",
                "--use-loadbalancer-class",
                "--use-ingress-class",
                "--enable-leader-election",
                "--leader-election-namespace",
                "--metrics-addr",
                "--health-probe-bind-address",
                "--zap-log-level",
                "--log-format <auto|text|json>",
                "[default: info]"
            )
            .And.NotContain("[default: Information]", "it is no value of the list");
    }

    [Theory]
    [InlineData(2, "--cluster-name is required", "--enable-gateway-api")]
    [InlineData(2, "tenant-Team_A", "--cluster-name", "Team_A")]
    [InlineData(2, "--no-such-flag", "--cluster-name", "t1", "--no-such-flag")]
    [InlineData(
        2,
        "--node-address-type: invalid value \"NodeIP\"; must be ExternalIP, InternalIP or Hostname. See --help.",
        "--cluster-name",
        "t1",
        "--node-address-type",
        "NodeIP"
    )]
    [InlineData(2, "internalip", "--cluster-name", "t1", "--node-address-type", "internalip")]
    [InlineData(2, "NodeIP", "--cluster-name", "t1", "--node-address-type", "NodeIP")]
    [InlineData(
        2,
        "--log-format: invalid value \"xml\"; must be auto, text or json. See --help.",
        "--cluster-name",
        "t1",
        "--log-format",
        "xml"
    )]
    [InlineData(2, "loud", "--cluster-name", "t1", "--zap-log-level", "loud")]
    [InlineData(2, "--tracing-endpoint: invalid URL;", "--cluster-name", "t1", "--tracing-endpoint", "collector:4317")]
    [InlineData(2, "must be a number from 0 to 1", "--cluster-name", "t1", "--tracing-sampling-ratio", "all")]
    [InlineData(1, "/no/such/file", "--cluster-name", "t1", "--kubeconfig", "/no/such/file")]
    [Trait("Threat", "command-lines")]
    public async Task Invalid_command_line_reports_one_line(int exitCode, string named, params string[] args)
    {
        var run = await ProgramRun.OfAsync("kubelb-ccm", args);

        run.ExitCode.Should().Be(exitCode);
        run.Error.TrimEnd().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }

    [Theory]
    [InlineData("")]
    [InlineData("just text")]
    [InlineData("apiVersion: v1\nkind: Config\n")]
    [InlineData("{ broken: [")]
    [Trait("Threat", "command-lines")]
    public async Task Invalid_kubeconfig_reports_its_path_in_one_line(string content)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, content);
            var run = await ProgramRun.OfAsync("kubelb-ccm", "--cluster-name", "t1", "--kubeconfig", file);

            run.ExitCode.Should().Be(1);
            run.Error.TrimEnd().Split('\n').Should().ContainSingle().Which.Should().Contain(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static CcmOptions Parse(params string[] args)
    {
        var command = new CcmCommand();
        return command.Options(command.Build().Parse(args));
    }
}

public sealed class StartTests : IDisposable
{
    private const string UnreachableServer = """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
        contexts: [{name: c, context: {cluster: c, user: u}}]
        current-context: c
        users: [{name: u, user: {token: t}}]
        """;

    private readonly string _kubeconfig = Path.GetTempFileName();

    public StartTests() => File.WriteAllText(_kubeconfig, UnreachableServer);

    [Fact]
    public async Task Invalid_metrics_address_reports_one_line_without_stack_trace()
    {
        var run = await ProgramRun.OfAsync(
            "kubelb-ccm",
            "--cluster-name",
            "t1",
            "--kubeconfig",
            _kubeconfig,
            "--kubelb-kubeconfig",
            _kubeconfig,
            "--metrics-addr",
            "127.0.0.1:99999"
        );

        run.ExitCode.Should().Be(2);
        run.Error.TrimEnd()
            .Split('\n')
            .Should()
            .ContainSingle()
            .Which.Should()
            .StartWith("--metrics-addr: Invalid listen address \"127.0.0.1:99999\": ")
            .And.EndWith("See --help.");
        run.Output.Should().NotContain("   at ");
    }

    [Fact]
    public async Task Secure_metrics_on_the_address_of_the_probes_are_rejected()
    {
        var run = await ProgramRun.OfAsync(
            "kubelb-ccm",
            "--cluster-name",
            "t1",
            "--kubeconfig",
            _kubeconfig,
            "--kubelb-kubeconfig",
            _kubeconfig,
            "--metrics-secure",
            "--metrics-addr",
            "127.0.0.1:9999",
            "--health-probe-bind-address",
            "127.0.0.1:9999"
        );

        run.ExitCode.Should().Be(2);
        run.Error.Should().StartWith("--metrics-secure requires another address for --metrics-addr than for --health-probe-bind-address");
    }

    public void Dispose() => File.Delete(_kubeconfig);
}
