using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tests.EnvoyGateway;

public sealed class GeneratedNodePortsTests
{
    [Fact]
    public void Node_ports_are_read_as_written()
    {
        var text = GeneratedNodePorts.Write([
            new RouteServicePort { Port = 80, NodePort = 30080 },
            new RouteServicePort
            {
                Port = 53,
                Protocol = "UDP",
                NodePort = 30053,
            },
            new RouteServicePort { Port = 443 },
        ]);

        text.Should().Be("80/TCP=30080,53/UDP=30053");
        Read(text).Should().BeEquivalentTo(new Dictionary<(int, string), int> { [(80, "TCP")] = 30080, [(53, "UDP")] = 30053 });
    }

    [Theory]
    [InlineData("80/TCP=1", true)]
    [InlineData("80/TCP=65535", true)]
    [InlineData("80/TCP=0", false)]
    [InlineData("80/TCP=65536", false)]
    [InlineData("80/TCP=-1", false)]
    [InlineData("80/TCP=19001", false)]
    [InlineData("80/TCP=", false)]
    [InlineData("80=30080", false)]
    [InlineData("x/TCP=30080", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Invalid_and_reserved_node_ports_are_ignored(string? text, bool isRead) => Read(text).Should().HaveCount(isRead ? 1 : 0);

    private static IReadOnlyDictionary<(int Port, string Protocol), int> Read(string? text) =>
        GeneratedNodePorts.Read(
            new V1Service
            {
                Metadata = new V1ObjectMeta
                {
                    Annotations = text is null ? null : new Dictionary<string, string> { [Annotations.NodePorts] = text },
                },
            }
        );
}
