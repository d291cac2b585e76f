using CsCheck;
using k8s.Models;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>Which nodes are chosen when there are more than may be listed.</summary>
public sealed class NodeSpreadProperties
{
    private static readonly Gen<List<V1Node>> Nodes = Gen.Int[0, 4]
        .List[1, 25]
        .Select(zones => zones.Select((zone, i) => Node(i, zone)).ToList());

    private static readonly Gen<(List<V1Node> Nodes, int Count, int Index)> Cases = Gen.Select(Nodes, Gen.Int[1, 12], Gen.Int[0, 24])
        .Select((nodes, count, index) => (nodes, count, index % nodes.Count));

    [Fact]
    public void Chosen_nodes_do_not_exceed_the_maximum_in_any_order() =>
        Cases.Sample(c =>
        {
            var chosen = Choose(c.Nodes, c.Count);

            chosen.Should().HaveCount(Math.Min(c.Count, c.Nodes.Count));
            Choose(Enumerable.Reverse(c.Nodes), c.Count).Should().Equal(chosen);
        });

    [Fact]
    public void Zones_have_equal_shares_of_the_chosen_nodes() =>
        Cases.Sample(c =>
        {
            var chosen = Choose(c.Nodes, c.Count).ToHashSet();
            var zones = c
                .Nodes.GroupBy(Zone)
                .Select(zone => (Size: zone.Count(), Share: zone.Count(n => chosen.Contains(Address(n)))))
                .ToList();
            var most = zones.Max(z => z.Share);

            zones.Should().OnlyContain(z => z.Share >= most - 1 || z.Share == z.Size);
        });

    [Fact]
    public void Removed_node_replaces_at_most_one_other() =>
        Cases.Sample(c =>
        {
            var before = Choose(c.Nodes, c.Count);
            var after = Choose(c.Nodes.Where((_, i) => i != c.Index), c.Count);

            before.Except(after).Should().BeSubsetOf([Address(c.Nodes[c.Index])], "nobody else has to go");
            after.Except(before).Count().Should().BeLessThanOrEqualTo(1);
        });

    private static List<string> Choose(IEnumerable<V1Node> nodes, int count) =>
        [
            .. (
                NodeAddresses.Translate(nodes, new NodeAddressSettings("InternalIP", MaxCount: count), "tenant-t").Spec!.Addresses ?? []
            ).Select(a => a.Ip!),
        ];

    private static string Zone(V1Node node) => node.Metadata.Labels?["topology.kubernetes.io/zone"] ?? "";

    private static string Address(V1Node node) => node.Status.Addresses[0].Address;

    // Zone 0 is none at all.
    private static V1Node Node(int index, int zone) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"node-{index}",
                Labels = zone == 0 ? null : new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = $"z{zone}" },
            },
            Status = new V1NodeStatus
            {
                Addresses = [new V1NodeAddress { Type = "InternalIP", Address = $"10.0.0.{index}" }],
                Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }],
            },
        };
}
