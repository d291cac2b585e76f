using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Translation.Backends;
using static KubeLB.Translation.Tests.Backends.BackendResolutionTests;

namespace KubeLB.Translation.Tests.Backends;

public sealed class NodePortServiceTests
{
    [Theory]
    [InlineData("ClusterIP", null, "- -", 80, true)]
    [InlineData(null, null, "- -", 80, true)]
    [InlineData("NodePort", null, "30000 30001", 80, false)]
    [InlineData("ExternalName", null, "-", 80, false)]
    [InlineData("LoadBalancer", null, "30000 30001", 80, false)]
    [InlineData("LoadBalancer", null, "- -", 80, false)]
    [InlineData("LoadBalancer", false, "- -", 80, true)]
    [InlineData("LoadBalancer", false, "30000 -", 80, false)]
    [InlineData("LoadBalancer", false, "30000 -", 81, true)]
    [InlineData("LoadBalancer", false, "- 30001", 80, true)]
    [InlineData("LoadBalancer", false, "- 30001", 82, false)]
    [InlineData("ClusterIP", null, "", 80, false)]
    public void Service_needs_a_node_port_Service_if_the_port_of_a_route_has_no_node_port(
        string? type,
        bool? allocates,
        string nodePorts,
        int port,
        bool expected
    )
    {
        var service = new V1Service
        {
            Spec = new V1ServiceSpec
            {
                Type = type,
                AllocateLoadBalancerNodePorts = allocates,
                Ports = [.. Ports(nodePorts)],
            },
        };

        NodePortService.IsNeededFor(service, [port]).Should().Be(expected);
    }

    [Theory]
    [InlineData("30000", true)]
    [InlineData("30000 -", true)]
    [InlineData("- 30001", false)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void Port_without_a_node_port_is_not_ready(string nodePorts, bool expected) =>
        NodePortService.HasNodePort(new V1Service { Spec = new V1ServiceSpec { Ports = [.. Ports(nodePorts)] } }, 80).Should().Be(expected);

    [Fact]
    public void Name_is_the_first_that_is_not_in_use()
    {
        var service = Service("web", "ClusterIP", "80/TCP");
        var candidates = NodePortServiceNames.Candidates("web");

        V1Service Other(int candidate) => Service(candidates[candidate], "ClusterIP", "80/TCP");

        NodePortService.Build(service, Tenant()).Name().Should().Be(candidates[0]);
        NodePortService.Build(service, Tenant(Other(0))).Name().Should().Be(candidates[1]);
        NodePortService.Build(service, Tenant(Other(0), Other(1))).Name().Should().Be(candidates[1], "the conflict is reported");
        NodePortService
            .Build(service, Tenant(NodePortServiceOf("web", "80/TCP", candidates[1])))
            .Name()
            .Should()
            .Be(candidates[1], "an existing node-port Service keeps its name");
    }

    [Theory]
    [InlineData(Labels.ManagedBy, "other")]
    [InlineData(Labels.OriginNamespace, "other")]
    [InlineData(Labels.OriginName, null)]
    public void Service_with_other_labels_is_not_a_node_port_Service(string label, string? value)
    {
        var service = NodePortServiceOf("web", "80/TCP");
        NodePortService.Origin(service).Should().Be(("apps", "web"));
        if (value is null)
        {
            service.Metadata.Labels.Remove(label);
        }
        else
        {
            service.Metadata.Labels[label] = value;
        }

        NodePortService.Origin(service).Should().BeNull();
    }

    private static IEnumerable<V1ServicePort> Ports(string nodePorts) =>
        nodePorts
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((p, i) => new V1ServicePort { Port = 80 + i, NodePort = p == "-" ? null : int.Parse(p) });
}
