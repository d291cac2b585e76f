using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Sandbox.Proxies.Processes;
using KubeLB.Translation.Proxies;

namespace KubeLB.Sandbox.Tests.Proxies.Processes;

public sealed class ProxyCommandTests
{
    private static readonly IPEndPoint ControlPlane = IPEndPoint.Parse("127.1.2.3:8001");

    private static readonly string Bootstrap = ProxyBootstrap.Build(
        new ControlPlane("envoycp.kubelb.svc", 8002, false),
        ProxyHeaderLimits.Default,
        null
    );

    private static readonly V1Container Container = new()
    {
        Args = ["--config-yaml", Bootstrap, "--service-node", "tenant-t", "--concurrency", "2"],
        Lifecycle = new V1Lifecycle
        {
            PreStop = new V1LifecycleHandler
            {
                Exec = new V1ExecAction
                {
                    Command =
                    [
                        "/bin/bash",
                        "-c",
                        ProxyDrainScript.Build(new ProxyDrain(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60))),
                    ],
                },
            },
        },
    };

    [Fact]
    public void Command_in_a_namespace_has_new_control_plane_and_Secret_path()
    {
        var arguments = ProxyCommand.Arguments("pod-1", Container, "/tmp/certificates", ControlPlane, listenAt: null);

        arguments.Skip(2).Should().Equal(Container.Args.Skip(2));
        var expected = JsonNode.Parse(
            JsonNode
                .Parse(Bootstrap)!
                .ToJsonString()
                .Replace(ProxyCertificateFiles.Folder, "/tmp/certificates", StringComparison.Ordinal)
                .Replace(
                    "\"address\":\"envoycp.kubelb.svc\",\"port_value\":8002",
                    "\"address\":\"127.1.2.3\",\"port_value\":8001",
                    StringComparison.Ordinal
                )
        );
        JsonNode
            .DeepEquals(JsonNode.Parse(arguments[1]), expected)
            .Should()
            .BeTrue("{0} is expected to be {1}", arguments[1], expected!.ToJsonString());
        arguments[1].Should().Contain("\"sni\":\"envoycp.kubelb.svc\"");
        ProxyCommand.PreStop(Container, IPAddress.Loopback).Should().Equal(Container.Lifecycle.PreStop.Exec.Command);
    }

    [Fact]
    public void Command_at_a_loopback_address_listens_there_and_uses_the_relay()
    {
        var bootstrap = ProxyCommand.Arguments("pod-1", Container, "/tmp/certificates", ControlPlane, IPAddress.Parse("127.9.8.7"))[1];

        bootstrap
            .Should()
            .NotContain("0.0.0.0")
            .And.NotContain("\"127.0.0.1\"")
            .And.NotContain("transport_socket")
            .And.Contain("\"key\":\"x-sandbox-pod\",\"value\":\"127.9.8.7\"");
        ProxyCommand
            .PreStop(Container, IPAddress.Parse("127.9.8.7"))![2]
            .Should()
            .Contain("/dev/tcp/127.9.8.7/9001")
            .And.NotContain("127.0.0.1");
    }

    [Theory]
    [InlineData("/bin/true", "is not an Envoy binary")]
    [InlineData("/usr", "is a directory")]
    [InlineData("/does/not/exist", "does not exist")]
    [InlineData("/etc/hostname", "cannot be run")]
    public async Task Binary_that_is_not_Envoy_is_rejected(string path, string words) =>
        (await FluentActions.Awaiting(() => EnvoyProgram.ReadAsync(path, CancellationToken.None)).Should().ThrowAsync<IOException>())
            .Which.Message.Should()
            .StartWith(path)
            .And.Contain(words)
            .And.EndWith("set the path of an Envoy binary with --envoy or KUBELB_ENVOY.");
}
