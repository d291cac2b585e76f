using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Tests.Hosting;

public sealed class ManagerCommandTests
{
    [Fact]
    public void Options_without_flags_have_the_documented_defaults() =>
        Parse()
            .Should()
            .Be(
                new ManagerOptions
                {
                    Namespace = "kubelb",
                    Kubeconfig = "",
                    EnableGatewayApi = false,
                    EnableLeaderElection = true,
                    MetricsAddress = ":9443",
                    HealthProbeBindAddress = ":8081",
                    LogLevel = LogLevel.Information,
                }
            );

    [Fact]
    public void Debug_flag_overrides_the_log_level() => Parse("--debug", "--zap-log-level", "error").LogLevel.Should().Be(LogLevel.Debug);

    [Fact]
    public async Task Help_lists_every_flag()
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", "--help");

        run.ExitCode.Should().Be(0);
        run.Output.Should()
            .ContainAll(
                "--namespace",
                "--listen-address",
                "--enable-gateway-api",
                "--enable-leader-election",
                "--debug",
                "--kubeconfig",
                "--metrics-addr",
                "--health-probe-bind-address",
                "--zap-log-level",
                "--log-format <auto|text|json>",
                "[default: info]"
            )
            .And.NotContain("[default: Information]", "it is no value of the list");
    }

    [Theory]
    [InlineData(2, "--no-such-flag", "--no-such-flag")]
    [InlineData(2, "--log-format: invalid value \"xml\"; must be auto, text or json. See --help.", "--log-format", "xml")]
    [InlineData(2, "loud", "--zap-log-level", "loud")]
    [InlineData(2, "--tracing-endpoint: invalid URL; must be the http or https URL", "--tracing-endpoint", "collector:4317")]
    [InlineData(2, "must be a number from 0 to 1, for example 0.1. See --help.", "--tracing-sampling-ratio", "1.5")]
    [InlineData(1, "/no/such/file", "-kubeconfig", "/no/such/file")]
    [InlineData(1, "/tmp", "--kubeconfig", "/tmp")]
    [Trait("Threat", "command-lines")]
    public async Task Invalid_command_line_reports_one_line(int exitCode, string named, params string[] args)
    {
        var run = await ProgramRun.OfAsync("kubelb-manager", args);

        run.ExitCode.Should().Be(exitCode);
        run.Error.TrimEnd().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }

    [Theory]
    [InlineData("")]
    [InlineData("root:x:0:0:root:/root:/bin/sh\n")]
    [InlineData("\u0001\u0002\ufffd")]
    [InlineData("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n")]
    [Trait("Threat", "command-lines")]
    public async Task Invalid_kubeconfig_reports_its_path_in_one_line(string content)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, content);
            var run = await ProgramRun.OfAsync("kubelb-manager", "--kubeconfig", file);

            run.ExitCode.Should().Be(1);
            run.Error.TrimEnd().Split('\n').Should().ContainSingle().Which.Should().Contain(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static ManagerOptions Parse(params string[] args)
    {
        var command = new ManagerCommand();
        return command.Options(command.Build().Parse(args));
    }
}
