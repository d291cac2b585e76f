using System.Net;
using CsCheck;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Proxies;

namespace KubeLB.Translation.Tests.Proxies;

/// <summary>Where NetworkPolicies let the proxies connect to: the same addresses as the manager configures in them.</summary>
public sealed class ProxyNetworkPolicyTests
{
    private static readonly string[] Ranges =
    [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.2.0/24",
        "10.1.2.3/32",
        "10.2.0.0/15",
        "127.0.0.0/8",
        "0.0.0.0/0",
        "fd00::/16",
        "fd00:1::/32",
        "::/0",
    ];

    private static readonly string[] Addresses =
    [
        "10.0.0.1",
        "10.1.0.1",
        "10.1.2.1",
        "10.1.2.3",
        "10.2.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "fd00::1",
        "fd00:1::1",
        "fd01::1",
    ];

    private static readonly Gen<List<string>> Lists = Gen.Int[0, Ranges.Length - 1].Select(i => Ranges[i]).List[0, 2];

    private static readonly Gen<AddressSettings?> Settings = Gen.Select(Lists, Lists, Lists, Gen.Bool)
        .Select(
            (allow, deny, ranges, isLimited) =>
                (AddressSettings?)
                    new AddressSettings
                    {
                        Allow = allow,
                        Deny = deny,
                        Ranges = isLimited ? ranges : null,
                    }
        );

    [Fact]
    [Trait("Threat", "proxy-egress")]
    public void Exactly_the_addresses_that_are_used_are_permitted() =>
        Gen.Select(Settings, Settings, Lists)
            .Sample(
                (tenant, config, own) =>
                {
                    var managementCluster = own.Aggregate(AddressSet.Empty, (all, range) => all.Add(range));
                    var policy = new AddressPolicy(tenant, config, managementCluster);
                    foreach (var address in Addresses)
                    {
                        var isUsed = policy.Evaluate([new EndpointAddress { Ip = address }])[0].Endpoint is not null;
                        Permits(tenant, config, managementCluster, address).Should().Be(isUsed, "of {0}", address);
                    }
                },
                iter: 2000
            );

    [Fact]
    public void Rules_are_these()
    {
        var own = AddressSet.Empty.Add("10.96.0.0/12").Add("10.244.0.0/24").Add("10.244.1.0/24");

        var rules = ProxyNetworkPolicy.Egress(
            null,
            new AddressSettings { Allow = ["127.0.0.0/8"], Deny = ["192.168.0.0/16"] },
            own,
            NodePortRanges.Parse("30000-32767,8443")!,
            "kubelb",
            8001
        );

        rules[0]
            .To.Single()
            .NamespaceSelector.MatchLabels.Should()
            .Equal(new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = "kubelb" });
        rules[0].Ports.Select(p => $"{p.Protocol} {p.Port.Value}").Should().Equal("TCP 8001");
        rules[1].To.Should().BeNull();
        rules[1]
            .Ports.Select(p => $"{p.Protocol} {p.Port.Value}")
            .Should()
            .Equal("TCP 53", "UDP 53", "TCP 5353", "UDP 5353", "TCP 8053", "UDP 8053");
        rules[2]
            .Ports.Select(p => $"{p.Protocol} {p.Port.Value}-{p.EndPort}")
            .Should()
            .Equal("TCP 30000-32767", "UDP 30000-32767", "TCP 8443-", "UDP 8443-");
        rules[2].To.Select(p => p.IpBlock.Cidr).Should().Equal("0.0.0.0/0", "::/0", "127.0.0.0/8");
        rules[2].To[0].IpBlock.Except.Should().Contain("10.96.0.0/12", "10.244.0.0/23", "192.168.0.0/16", "169.254.0.0/16");
        rules[2].To[2].IpBlock.Except.Should().BeNull();
        rules.Should().HaveCount(3);
    }

    [Fact]
    public void Without_a_permitted_address_there_is_no_rule_for_nodes() =>
        ProxyNetworkPolicy
            .Egress(new AddressSettings { Ranges = [] }, null, AddressSet.Empty, NodePortRanges.Default, "kubelb", 8001)
            .Should()
            .HaveCount(2, "a rule without peers permits every destination");

    [Fact]
    public void Permitted_hostnames_can_resolve_outside_of_the_ranges() =>
        Permits(new AddressSettings { Ranges = ["10.1.0.0/16"], AllowHostnames = ["*.example.com"] }, null, AddressSet.Empty, "192.0.2.1")
            .Should()
            .BeTrue();

    private static bool Permits(AddressSettings? tenant, AddressSettings? config, AddressSet managementCluster, string address)
    {
        var rules = ProxyNetworkPolicy.Egress(tenant, config, managementCluster, NodePortRanges.Default, "kubelb", 8001);
        var blocks = rules.Skip(2).SelectMany(rule => rule.To).Select(peer => peer.IpBlock).ToList();
        foreach (var block in blocks)
        {
            // The API server requires it.
            var network = IPNetwork.Parse(block.Cidr);
            (block.Except ?? [])
                .Select(IPNetwork.Parse)
                .Where(range => !network.Contains(range.BaseAddress) || range.PrefixLength <= network.PrefixLength)
                .Should()
                .BeEmpty();
        }

        var parsed = IPAddress.Parse(address);
        return blocks.Any(block =>
            IPNetwork.Parse(block.Cidr).Contains(parsed) && !(block.Except ?? []).Any(range => IPNetwork.Parse(range).Contains(parsed))
        );
    }
}
