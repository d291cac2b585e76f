using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Composition;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Tests.Composition;

public sealed class ControllerArgumentsTests
{
    private static readonly CcmOptions Ccm = new()
    {
        ClusterName = "t1",
        EnableGatewayApi = true,
        EnableLeaderElection = false,
        MetricsAddress = "",
        HealthProbeBindAddress = "",
        DrainingNodePorts = TimeSpan.FromSeconds(1),
    };

    private static readonly ManagerOptions Manager = new()
    {
        Namespace = "kubelb",
        EnableGatewayApi = true,
        EnableLeaderElection = false,
        MetricsAddress = "127.0.0.1:0",
        HealthProbeBindAddress = "127.0.0.1:0",
        ListenAddress = "127.0.0.1:0",
        ServiceDrain = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public void Flags_of_the_CCM_are_added_to_the_settings_of_the_sandbox()
    {
        ControllerArguments
            .Apply(Ccm, ["--enforce-reference-grants", "-max-node-address-count", "3", "--zap-log-level=debug"])
            .Should()
            .Be(
                Ccm with
                {
                    EnforceReferenceGrants = true,
                    MaxNodeAddressCount = 3,
                    LogLevel = LogLevel.Debug,
                    MetricsAddress = "0",
                    HealthProbeBindAddress = "0",
                    Kubeconfig = "",
                    LeaderElectionNamespace = "",
                }
            );
    }

    [Fact]
    public void Flag_replaces_the_setting_of_the_sandbox()
    {
        ControllerArguments.Apply(Ccm, ["--enable-gateway-api=false"]).EnableGatewayApi.Should().BeFalse();
        ControllerArguments.Apply(Manager, ["--metrics-addr=0"]).MetricsAddress.Should().Be("0");
    }

    [Fact]
    public void Flags_of_the_manager_are_added_to_the_settings_of_the_sandbox() =>
        ControllerArguments.Apply(Manager, ["--debug"]).Should().Be(Manager with { LogLevel = LogLevel.Debug, Kubeconfig = "" });

    [Theory]
    [InlineData("--cluster-name=x", "kubelb-ccm: --cluster-name cannot be changed in the sandbox; remove it.")]
    [InlineData("-kubeconfig=x", "kubelb-ccm: --kubeconfig cannot be changed in the sandbox; remove it.")]
    [InlineData(
        "--node-address-type=NodeIP",
        "kubelb-ccm: --node-address-type: invalid value \"NodeIP\"; must be ExternalIP, InternalIP or Hostname."
    )]
    [InlineData("--enforce", "kubelb-ccm: Unrecognized command or argument '--enforce'.")]
    [InlineData("--node-address-label-selector=a=b=c", "kubelb-ccm: --node-address-label-selector: *")]
    [InlineData("check", "kubelb-ccm: Only flags are supported in the sandbox, not check.")]
    [InlineData("--help", "kubelb-ccm: Only flags are supported in the sandbox, not --help.")]
    public void Invalid_flag_of_the_CCM_is_reported_as_by_the_CCM(string argument, string message) =>
        FluentActions.Invoking(() => ControllerArguments.Apply(Ccm, [argument])).Should().Throw<UsageException>().WithMessage(message);

    [Theory]
    [InlineData("--xds-insecure", "kubelb-manager: --xds-insecure cannot be changed in the sandbox; remove it.")]
    [InlineData("--zap-log-level=loud", "kubelb-manager: Invalid log level \"loud\"*")]
    public void Invalid_flag_of_the_manager_is_reported_as_by_the_manager(string argument, string message) =>
        FluentActions.Invoking(() => ControllerArguments.Apply(Manager, [argument])).Should().Throw<UsageException>().WithMessage(message);
}
