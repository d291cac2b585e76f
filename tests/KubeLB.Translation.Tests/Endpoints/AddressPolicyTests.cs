using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Endpoints;

public sealed class AddressPolicyTests
{
    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("192.168.7.9", "192.168.7.9")]
    [InlineData("203.0.113.200", "203.0.113.200")]
    [InlineData("fd12:3456::0001", "fd12:3456::1")]
    [InlineData("2001:DB8:0:0::A", "2001:db8::a")]
    [InlineData("64:ff9b::8.8.8.8", "64:ff9b::808:808")]
    [InlineData("0064:ff9b:0000:0000:0000:0000:198.198.198.198", "64:ff9b::c6c6:c6c6")]
    public void Node_address_is_used_in_canonical_form(string ip, string endpoint) =>
        Only(new AddressPolicy(null, null), Ip(ip)).Should().Be(new EndpointResult(ip, endpoint, null));

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.254", "loopback")]
    [InlineData("::1", "loopback")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("169.254.0.1", "link-local")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("febf::1", "link-local")]
    [InlineData("fec0::1", "site-local")]
    [InlineData("fd00:ec2::254", "metadata")]
    [InlineData("fd00:ec2::23", "metadata")]
    [InlineData("fd00:ec2:ffff::1", "metadata")]
    [InlineData("fd20:ce::254", "metadata")]
    [InlineData("fd00:c1::a9fe:a9fe", "metadata")]
    [InlineData("fd00:42::42", "metadata")]
    [InlineData("100.80.80.80", "metadata")]
    [InlineData("100.100.100.200", "metadata")]
    [InlineData("168.63.129.16", "metadata")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.1.2.3", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("::ffff:127.0.0.1", "use 127.0.0.1")]
    [InlineData("::ffff:10.0.0.1", "use 10.0.0.1")]
    [InlineData("::FFFF:a9fe:a9fe", "use 169.254.169.254")]
    [InlineData("0:0:0:0:0:ffff:7f00:1", "use 127.0.0.1")]
    [InlineData("::10.0.0.1", "use 10.0.0.1")]
    [InlineData("64:ff9b::127.0.0.1", "loopback")]
    [InlineData("64:ff9b::a9fe:a9fe", "link-local")]
    [InlineData("2002:7f00:1::", "loopback")]
    [InlineData("64:ff9b:1::10.0.0.1", "local NAT64")]
    [InlineData("64:ff9b:1:ffff::1", "local NAT64")]
    [InlineData("::ffff:0:10.0.0.1", "IPv4-translated")]
    [InlineData("::ffff:0:a9fe:a9fe", "IPv4-translated")]
    [InlineData("2001::1", "Teredo")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo")]
    [Trait("Threat", "reserved-addresses")]
    public void Reserved_address_is_rejected(string ip, string word) =>
        Only(new AddressPolicy(null, null), Ip(ip)).Should().Match<EndpointResult>(v => v.Endpoint == null && v.Problem!.Contains(word));

    [Theory]
    [InlineData("0177.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("0x7f000001")]
    [InlineData("2130706433")]
    [InlineData("127.1")]
    [InlineData("10.0.1")]
    [InlineData("10.0.0.256")]
    [InlineData("10.0.0.1.")]
    [InlineData("10.0.0.1:80")]
    [InlineData("10.0.0.0/8")]
    [InlineData(" 10.0.0.1")]
    [InlineData("10.0.0.1\n")]
    [InlineData("10.0.0.1\0")]
    [InlineData("[fd00::1]")]
    [InlineData("fd00::1%eth0")]
    [InlineData("fe80::1%1")]
    [InlineData("fd00::1::2")]
    [InlineData("fd00::010.0.0.1")]
    [InlineData("fd00::1/64")]
    [InlineData("１０.0.0.1")]
    [InlineData("node1.example.com")]
    [InlineData(":")]
    [InlineData("-")]
    [Trait("Threat", "address-notation")]
    public void Unusual_notation_is_rejected(string ip) =>
        Only(new AddressPolicy(null, null), Ip(ip)).Problem.Should().StartWith("invalid IP address");

    [Theory]
    [InlineData("node1.example.com", "node1.example.com.")]
    [InlineData("Node1.Example.COM", "node1.example.com.")]
    [InlineData("node1.example.com.", "node1.example.com.")]
    [InlineData("ip-10-0-0-1.eu-central-1.compute.internal", "ip-10-0-0-1.eu-central-1.compute.internal.")]
    [InlineData("1.example", "1.example.")]
    public void Hostname_is_used_as_an_absolute_name(string name, string endpoint) =>
        Only(new AddressPolicy(null, null), Host(name)).Should().Be(new EndpointResult(name, endpoint, null));

    [Theory]
    [InlineData("localhost", "one label")]
    [InlineData("LOCALHOST.", "one label")]
    [InlineData("kubernetes", "one label")]
    [InlineData("a.localhost", "*.localhost")]
    [InlineData("localhost.localdomain", "*.localdomain")]
    [InlineData("printer.local", "*.local")]
    [InlineData("kubernetes.default", "kubernetes.default")]
    [InlineData("kubernetes.default.svc", "*.svc")]
    [InlineData("kubernetes.default.svc.cluster.local", "*.local")]
    [InlineData("api.billing.svc.corp.example", "*.svc.*")]
    [InlineData("10-0-0-1.billing.pod.corp.example", "*.pod.*")]
    [InlineData("metadata.google.internal", "metadata.google.internal")]
    [InlineData("Metadata.Google.Internal.", "metadata.google.internal")]
    [InlineData("instance-data.ec2.internal", "instance-data.*")]
    [InlineData("metadata.goog", "metadata.goog")]
    [InlineData("metadata.tencentyun.com", "metadata.tencentyun.com")]
    [InlineData("api.metadata.cloud.ibm.com", "*.metadata.cloud.ibm.com")]
    [InlineData("metadata.packet.net", "metadata.packet.net")]
    [InlineData("metadata.platformequinix.com", "metadata.platformequinix.com")]
    [InlineData("host.docker.internal", "*.docker.internal")]
    [InlineData("gateway.docker.internal", "*.docker.internal")]
    [InlineData("host.containers.internal", "*.containers.internal")]
    [InlineData("host.minikube.internal", "host.minikube.internal")]
    [InlineData("host.k3d.internal", "host.k3d.internal")]
    [InlineData("127.0.0.1", "set ip instead")]
    [InlineData("127.1", "set ip instead")]
    [InlineData("0x7f000001", "set ip instead")]
    [InlineData("2130706433", "set ip instead")]
    [InlineData("10.0.0.1", "set ip instead")]
    [InlineData("fd00::1", "invalid DNS name")]
    [InlineData("node_1.example.com", "invalid DNS name")]
    [InlineData("node1..example.com", "invalid DNS name")]
    [InlineData("node1.example.com..", "invalid DNS name")]
    [InlineData("-node1.example.com", "invalid DNS name")]
    [InlineData("node1.example.com:80", "invalid DNS name")]
    [InlineData("user@node1.example.com", "invalid DNS name")]
    [InlineData("node1.example.com\n", "invalid DNS name")]
    [InlineData("n\u00f6de.example.com", "invalid DNS name")]
    [InlineData(".", "invalid DNS name")]
    [Trait("Threat", "hostnames-of-nodes")]
    public void Reserved_hostname_is_rejected(string name, string word) =>
        Only(new AddressPolicy(null, null), Host(name))
            .Should()
            .Match<EndpointResult>(v => v.Endpoint == null && v.Problem!.Contains(word));

    [Theory]
    [InlineData("127.0.0.1", null, "allow 127.0.0.0/8", true)]
    [InlineData("127.0.0.1", null, "allow 127.0.0.1", true)]
    [InlineData("127.0.0.1", null, "allow 127.0.0.1/32", true)]
    [InlineData("::1", null, "allow ::1/128", true)]
    [InlineData("169.254.3.4", null, "allow 169.254.3.0/24", true)]
    [InlineData("169.254.4.4", null, "allow 169.254.3.0/24", false)]
    [InlineData("fe80::1", "allow fe80::/10", null, true)]
    [InlineData("64:ff9b:1::10.0.0.1", null, "allow 64:ff9b:1::/48", true)]
    [InlineData("64:ff9b:1::10.1.0.1", null, "allow 64:ff9b:1::/48 deny 10.1.0.0/16", false)]
    [InlineData("64:ff9b:1::127.0.0.1", null, "allow 64:ff9b:1::/48", false)]
    [InlineData("::ffff:0:10.0.0.1", null, "allow ::ffff:0:0:0/96", true)]
    [InlineData("::ffff:0:127.0.0.1", null, "allow ::ffff:0:0:0/96", false)]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2", "allow 2001::/32", null, true)]
    [InlineData("2001::80ff:fffe", null, "allow 2001::/32", false)]
    [InlineData("2001:db8::1", null, null, true)]
    [InlineData("fd00:ec2::23", "allow fd00:ec2::23/128", null, true)]
    [InlineData("10.1.0.1", null, "deny 10.1.0.0/16", false)]
    [InlineData("10.2.0.1", null, "deny 10.1.0.0/16", true)]
    [InlineData("10.1.0.1", null, "deny 10.1.2.3/16", false)]
    [InlineData("10.1.0.1", null, "allow 10.1.0.1/32 deny 10.0.0.0/8", false)]
    [InlineData("10.1.0.1", "allow 10.1.0.0/16", "deny 0.0.0.0/0", true)]
    [InlineData("10.2.0.1", "allow 10.1.0.0/16", "deny 0.0.0.0/0", false)]
    [InlineData("10.1.0.1", "deny 10.1.0.0/16", "allow 10.0.0.0/8", false)]
    [InlineData("127.0.0.1", "deny 127.0.0.0/8", "allow 127.0.0.0/8", false)]
    [InlineData("64:ff9b::a01:1", null, "deny 10.1.0.0/16", false)]
    [InlineData("fd00::5", null, "deny 10.0.0.0/8 deny fd00::/64", false)]
    [InlineData("0.0.0.0", "allow 0.0.0.0/0", "allow 0.0.0.0/0", false)]
    [InlineData("224.0.0.1", "allow 0.0.0.0/0", null, false)]
    [InlineData("255.255.255.255", null, "allow 255.255.255.255/32", false)]
    [InlineData("10.0.0.1", null, "deny 10.0.0.0/33", false)]
    [InlineData("fd00::1", null, "deny 10.0.0.0/33", true)]
    [InlineData("fd00::1", null, "deny fd00::/129", false)]
    [InlineData("10.0.0.1", null, "deny fd00::/129", true)]
    [InlineData("10.0.0.1", null, "deny nonsense", false)]
    [InlineData("fd00::1", null, "deny nonsense", false)]
    [InlineData("127.0.0.1", null, "allow 127.0.0.0/33", false)]
    [InlineData("127.0.0.1", null, "allow nonsense", false)]
    [Trait("Threat", "other-ranges")]
    public void Tenant_wins_over_Config_and_deny_over_allow(string ip, string? tenant, string? config, bool used) =>
        (Only(new AddressPolicy(Settings(tenant), Settings(config)), Ip(ip)).Problem is null).Should().Be(used);

    [Theory]
    [InlineData("10.1.0.1", null, "within 10.1.0.0/16", true)]
    [InlineData("10.2.0.1", null, "within 10.1.0.0/16", false)]
    [InlineData("10.2.0.1", null, "within 10.1.0.0/16 within 10.2.0.0/16", true)]
    [InlineData("10.2.0.1", "within 10.2.0.0/16", "within 10.1.0.0/16", true)]
    [InlineData("10.1.0.1", "within 10.2.0.0/16", "within 10.1.0.0/16", false)]
    [InlineData("10.2.0.1", "allow 10.2.0.1/32", "within 10.1.0.0/16", true)]
    [InlineData("10.1.0.1", null, "within 10.1.0.0/16 deny 10.1.0.1/32", false)]
    [InlineData("127.0.0.1", null, "within 127.0.0.0/8", false)]
    [InlineData("10.1.0.1", null, "within nonsense", false)]
    [InlineData("fd00::1", null, "within 10.0.0.0/8", false)]
    [InlineData("64:ff9b::a02:1", null, "within 10.1.0.0/16 within 64:ff9b::/96", false)]
    [Trait("Threat", "other-tenants-nodes")]
    public void Ranges_limit_the_addresses(string ip, string? tenant, string? config, bool used) =>
        (Only(new AddressPolicy(Settings(tenant), Settings(config)), Ip(ip)).Problem is null).Should().Be(used);

    [Theory]
    [InlineData("node.example.com", "within 10.1.0.0/16", false)]
    [InlineData("node.example.com", "within 10.1.0.0/16 allow *.example.com", true)]
    public void Hostnames_are_rejected_where_ranges_are_set_unless_allowed(string name, string config, bool used) =>
        (Only(new AddressPolicy(null, Settings(config)), Host(name)).Problem is null).Should().Be(used);

    [Theory]
    [InlineData("10.244.3.7", null, null, false)]
    [InlineData("10.245.0.1", null, null, true)]
    [InlineData("192.0.2.10", null, null, false)]
    [InlineData("192.0.2.11", null, null, true)]
    [InlineData("fd00:10::1", null, null, false)]
    [InlineData("64:ff9b::c000:20a", null, null, false)]
    [InlineData("192.0.2.10", null, "allow 192.0.2.0/24", true)]
    [InlineData("192.0.2.10", "allow 192.0.2.0/24", "deny 192.0.2.0/24", true)]
    [InlineData("192.0.2.10", null, "within 192.0.2.0/24", false)]
    [Trait("Threat", "management-addresses")]
    public void Addresses_of_the_management_cluster_are_rejected_unless_allowed(string ip, string? tenant, string? config, bool used)
    {
        var own = AddressSet.Empty.Add("10.244.0.0/16").Add("192.0.2.10").Add("fd00:10::/64");

        var result = Only(new AddressPolicy(Settings(tenant), Settings(config), own), Ip(ip));

        (result.Problem is null).Should().Be(used);
        if (!used)
        {
            result.Problem.Should().StartWith("this is an address of the management cluster");
        }
    }

    [Theory]
    [InlineData("node1.tenant.example.com", null, "deny *.example.com", false)]
    [InlineData("node1.tenant.example.com", "allow *.tenant.example.com", "deny *", true)]
    [InlineData("node2.example.com", "allow *.tenant.example.com", "deny *", false)]
    [InlineData("worker-1", null, "allow worker-*", true)]
    [InlineData("host.docker.internal", null, "allow host.docker.internal", true)]
    [InlineData("worker-1.corp.local", null, "allow *.corp.local", true)]
    [InlineData("Worker-1.Corp.Local.", null, "allow *.CORP.local.", true)]
    [InlineData("node1.example.com", null, "allow *.com deny node*.example.*", false)]
    [InlineData("nodeexample.com", null, "deny *.example.com", true)]
    [InlineData("worker.example.com", null, "deny *worker*.com", false)]
    [InlineData("worker.example.com", null, "deny worker*example*m", false)]
    [InlineData("aa.com", null, "deny *aa*a.com", true)]
    [InlineData("ab.com", null, "deny *a*b.com", false)]
    [Trait("Threat", "hostnames-of-nodes")]
    public void Hostnames_are_allowed_and_denied_by_patterns(string name, string? tenant, string? config, bool used) =>
        (Only(new AddressPolicy(Settings(tenant), Settings(config)), Host(name)).Problem is null).Should().Be(used);

    [Theory]
    [InlineData(" 10.0.0.1", "?10.0.0.1")]
    [InlineData("10.0.0.1\u007f", "10.0.0.1?")]
    [InlineData("!~", "!~")]
    public void Quoted_address_has_printable_ASCII_characters_only(string ip, string quoted) =>
        Only(new AddressPolicy(null, null), Ip(ip)).Address.Should().Be(quoted);

    [Theory]
    [InlineData(80, false)]
    [InlineData(81, true)]
    public void Quoted_address_is_truncated_to_80_characters(int length, bool isTruncated)
    {
        var address = Only(new AddressPolicy(null, null), Ip(new string('7', length))).Address;

        address.Length.Should().Be(80);
        address.EndsWith('…').Should().Be(isTruncated);
    }

    [Fact]
    public void Allowed_name_of_one_label_is_not_absolute() =>
        Only(new AddressPolicy(null, Settings("allow worker-*")), Host("worker-1"))
            .Should()
            .Be(new EndpointResult("worker-1", "worker-1", null), "the resolver must try the search domains");

    [Theory]
    [InlineData(253, true)]
    [InlineData(254, false)]
    public void Hostname_of_more_than_253_characters_is_rejected(int length, bool used)
    {
        var name = $"{string.Concat(Enumerable.Repeat("a23456789.", 24))}{new string('b', length - 244)}.com";

        name.Length.Should().Be(length);
        (Only(new AddressPolicy(null, null), Host(name)).Problem is null).Should().Be(used);
    }

    [Theory]
    [InlineData("10.1.0.1", "deny 10.1.0.0/16", "deny 10.0.0.0/8", "denied by spec.addresses.deny of the Tenant;")]
    [InlineData("10.2.0.1", "deny 10.1.0.0/16", "deny 10.0.0.0/8", "denied by spec.addresses.deny of the Config;")]
    [InlineData("127.0.0.1", null, "deny 127.0.0.0/8", "denied by spec.addresses.deny of the Config;")]
    [InlineData("127.0.0.1", "deny 127.0.0.0/8", null, "denied by spec.addresses.deny of the Tenant;")]
    public void Message_names_the_first_object_that_denies(string ip, string? tenant, string? config, string message) =>
        Only(new AddressPolicy(Settings(tenant), Settings(config)), Ip(ip)).Problem.Should().StartWith(message);

    [Fact]
    public void Message_of_an_invalid_range_in_deny_differs()
    {
        var valid = Only(new AddressPolicy(null, Settings("deny 10.0.0.0/8")), Ip("10.0.0.1")).Problem;
        var invalid = Only(new AddressPolicy(null, Settings("deny 192.0.2.0/24 deny 10.0.0.0/33")), Ip("10.0.0.1")).Problem;

        invalid.Should().NotBe(valid).And.Contain("invalid");
    }

    [Fact]
    public void Rejected_address_does_not_affect_the_others()
    {
        var verdicts = new AddressPolicy(null, null).Evaluate([
            Ip("10.0.0.2"),
            Ip("127.0.0.1"),
            null,
            new EndpointAddress(),
            Ip("10.0.0.1"),
            Host("n.example.com"),
        ]);

        verdicts.Select(v => v.Endpoint).Should().Equal("10.0.0.2", null, null, null, "10.0.0.1", "n.example.com.");
    }

    [Fact]
    [Trait("Threat", "many-addresses")]
    public void Duplicate_address_in_any_notation_is_rejected()
    {
        var verdicts = new AddressPolicy(null, null).Evaluate([
            Ip("fd00::1"),
            Ip("fd00:0::0001"),
            Host("n.example.com"),
            Host("N.example.com."),
        ]);

        verdicts.Select(v => v.Endpoint).Should().Equal("fd00::1", null, "n.example.com.", null);
        verdicts[1].Problem.Should().Contain("more than once");
    }

    [Fact]
    public void Ip_wins_over_hostname_even_if_rejected() =>
        Only(new AddressPolicy(null, null), new EndpointAddress { Ip = "127.0.0.1", Hostname = "n.example.com" })
            .Endpoint.Should()
            .BeNull();

    [Theory]
    [InlineData(null, null, 1000)]
    [InlineData(null, 5, 5)]
    [InlineData(7, 5, 7)]
    [Trait("Threat", "many-addresses")]
    public void Addresses_beyond_the_maximum_are_not_used(int? tenant, int? config, int expected)
    {
        var many = Enumerable.Range(0, 1200).Select(i => Ip($"10.0.{i / 250}.{i % 250}")).ToList();

        var verdicts = new AddressPolicy(new AddressSettings { Maximum = tenant }, new AddressSettings { Maximum = config }).Evaluate(many);

        verdicts.Count(v => v.Endpoint is not null).Should().Be(expected);
        verdicts[^1].Address.Should().Be($"{1200 - expected} more");
        verdicts.Should().HaveCount(expected + 1, "what is beyond is not even looked at");
    }

    [Fact]
    public void Status_lists_rejected_addresses_truncated()
    {
        var addresses = new Addresses { Metadata = { Name = "default", Generation = 4 } };
        var verdicts = new AddressPolicy(null, new AddressSettings { Deny = ["10.9.0.0/16"] }).Evaluate([
            Ip("10.0.0.1"),
            Ip("10.9.0.1"),
            Ip(new string('7', 5000)),
            Ip("a\u001b[31m\nb"),
            .. Enumerable.Range(0, 20).Select(i => Ip($"127.0.0.{i}")),
        ]);

        var status = AddressesStatusBuilder.Build(addresses, verdicts, excess: null, "2026-11-23T00:00:00Z");

        var condition = status.Conditions.Should().ContainSingle().Subject;
        (condition.Type, condition.Status, condition.Reason, condition.ObservedGeneration)
            .Should()
            .Be(("Accepted", "False", "AddressesRejected", 4));
        condition
            .Message.Should()
            .StartWith("23 rejected, 1 used. 10.9.0.1: denied by spec.addresses.deny of the Config")
            .And.EndWith("13 more are rejected.");
        condition.Message.Length.Should().BeLessThan(4000);
        condition.Message.Should().NotContain("\n").And.NotContain("\u001b");
    }

    [Theory]
    [InlineData("default", "True", "Accepted")]
    [InlineData("mine", "False", "NotUsed")]
    public void Addresses_with_another_name_report_NotUsed(string name, string status, string reason)
    {
        var verdicts = new AddressPolicy(null, null).Evaluate([Ip("10.0.0.1")]);

        var condition = AddressesStatusBuilder
            .Build(new Addresses { Metadata = { Name = name } }, verdicts, excess: null, "2026-11-23T00:00:00Z")
            .Conditions!.Single();

        (condition.Status, condition.Reason).Should().Be((status, reason));
    }

    private static EndpointResult Only(AddressPolicy policy, EndpointAddress address) =>
        policy.Evaluate([address]).Should().ContainSingle().Subject;

    private static EndpointAddress Ip(string ip) => new() { Ip = ip };

    private static EndpointAddress Host(string name) => new() { Hostname = name };

    private static AddressSettings? Settings(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var words = text.Split(' ').Chunk(2).ToLookup(pair => pair[0], pair => pair[1]);
        return new AddressSettings
        {
            Allow = [.. words["allow"]],
            Deny = words["deny"].Where(w => !w.Contains('*')).ToList(),
            AllowHostnames = [.. words["allow"]],
            DenyHostnames = words["deny"].Where(w => w.Contains('*')).ToList(),
            Ranges = words.Contains("within") ? [.. words["within"]] : null,
        };
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(10, false)]
    [InlineData(11, true)]
    public void Status_lists_10_rejected_addresses_completely(int rejected, bool isTruncated)
    {
        var results = new AddressPolicy(null, null).Evaluate([.. Enumerable.Range(1, rejected).Select(i => Ip($"127.0.0.{i}"))]);

        var message = AddressesStatusBuilder
            .Build(new Addresses { Metadata = { Name = "default" } }, results, excess: null, "2026-11-23T00:00:00Z")
            .Conditions!.Single()
            .Message;

        message.Should().StartWith($"{rejected} rejected, 0 used.");
        message.Contains("more are rejected", StringComparison.Ordinal).Should().Be(isTruncated);
    }

    [Fact]
    public void Excess_of_endpoints_is_reported_with_the_rejected_addresses()
    {
        var excess = new EndpointExcess(Addresses: 1000, NodePorts: 4100, NotServed: 100, From: 34_000, Megabytes: 128);
        var results = new AddressPolicy(null, null).Evaluate([Ip("10.0.0.1"), Ip("127.0.0.1")]);

        AddressesStatusBuilder
            .Build(new Addresses { Metadata = { Name = "default" } }, results, excess, "2026-11-23T00:00:00Z")
            .Conditions!.Single()
            .Message.Should()
            .StartWith(excess.Message)
            .And.Contain("1 rejected, 1 used. 127.0.0.1:");
    }

    [Fact]
    public void Excess_of_endpoints_reports_EndpointLimitExceeded()
    {
        var excess = new EndpointExcess(Addresses: 1000, NodePorts: 4100, NotServed: 100, From: 34_000, Megabytes: 128);

        var condition = AddressesStatusBuilder
            .Build(new Addresses { Metadata = { Name = "default" } }, [], excess, "2026-11-23T00:00:00Z")
            .Conditions!.Single();

        (condition.Status, condition.Reason).Should().Be(("False", "EndpointLimitExceeded"));
        condition
            .Message.Should()
            .Be(
                "100 of 4100 node ports, from 34000 up, return 503: 1000 addresses on each exceed the limit of 128 MB of endpoints. "
                    + "Use fewer Services or list fewer addresses."
            );
    }
}
