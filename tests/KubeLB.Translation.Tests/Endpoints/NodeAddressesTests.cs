using k8s.Models;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Endpoints;

public sealed class NodeAddressesTests
{
    [Fact]
    public void Node_that_is_being_deleted_is_not_used()
    {
        var deleted = Node("10.0.0.1", ("Ready", "True"));
        deleted.Metadata.DeletionTimestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        Addresses(deleted, Node("10.0.0.2", ("Ready", "True"))).Should().Equal("10.0.0.2");
    }

    [Fact]
    public void Node_is_ready_regardless_of_its_other_conditions() =>
        Addresses(
                Node("10.0.0.1", ("MemoryPressure", "False"), ("Ready", "True"), ("PIDPressure", "False")),
                Node("10.0.0.2", ("MemoryPressure", "True"), ("Ready", "False"))
            )
            .Should()
            .Equal("10.0.0.1");

    private static IEnumerable<string?> Addresses(params V1Node[] nodes) =>
        NodeAddresses.Translate(nodes, new NodeAddressSettings("InternalIP"), "tenant-t").Spec!.Addresses!.Select(a => a.Ip);

    private static V1Node Node(string address, params (string Type, string Status)[] conditions) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = $"node-{address}" },
            Status = new V1NodeStatus
            {
                Addresses = [new V1NodeAddress { Type = "InternalIP", Address = address }],
                Conditions = [.. conditions.Select(c => new V1NodeCondition { Type = c.Type, Status = c.Status })],
            },
        };
}
