using Envoy.Config.Cluster.V3;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Resources;

public class ResourceCacheTests
{
    private readonly ResourceCache _cache = new();

    [Fact]
    public void Version_is_a_hash_of_the_content()
    {
        var one = VersionedResource.Create("a", Samples.Cluster("a"));
        var same = VersionedResource.Create("a", Samples.Cluster("a"));
        var other = VersionedResource.Create("a", Samples.Cluster("a", timeout: 1));
        same.Version.Should().Be(one.Version).And.MatchRegex("^[0-9a-f]{16}$");
        other.Version.Should().NotBe(one.Version);
        one.TypeUrl.Should().Be(ResourceTypes.Cluster);
        one.Body.Unpack<Cluster>().Should().Be(Samples.Cluster("a"));
    }

    [Fact]
    public void Version_is_independent_of_the_order_of_map_entries()
    {
        var there = new Cluster { Name = "a" };
        there.TypedExtensionProtocolOptions["x"] = new Any { TypeUrl = "1" };
        there.TypedExtensionProtocolOptions["y"] = new Any { TypeUrl = "2" };
        var back = new Cluster { Name = "a" };
        back.TypedExtensionProtocolOptions["y"] = new Any { TypeUrl = "2" };
        back.TypedExtensionProtocolOptions["x"] = new Any { TypeUrl = "1" };
        VersionedResource.Create("a", back).Version.Should().Be(VersionedResource.Create("a", there).Version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    public void Invalid_resource_name_is_rejected(string name)
    {
        var create = () => VersionedResource.Create(name, Samples.Cluster("a"));
        create.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Update_returns_whether_anything_changed()
    {
        _cache.Update("n", _ => { }).Should().BeTrue("the node is known now");
        _cache.Update("n", _ => { }).Should().BeFalse();
        _cache.Update("n", t => t.Set("a", Samples.Cluster("a"))).Should().BeTrue();
        _cache.Update("n", t => t.Set("a", Samples.Cluster("a"))).Should().BeFalse();
        _cache.Update("n", t => t.Set("a", Samples.Cluster("a", timeout: 1))).Should().BeTrue();
        _cache.Update("n", t => t.Remove(ResourceTypes.Cluster, "absent")).Should().BeFalse();
        _cache.Update("n", t => t.Remove(ResourceTypes.Cluster, "a")).Should().BeTrue();
        _cache.Count("n", ResourceTypes.Cluster).Should().Be(0);
        _cache.Find("n", ResourceTypes.Cluster, "a").Should().BeNull();
    }

    [Fact]
    public void Last_change_in_a_transaction_is_applied()
    {
        _cache.Update(
            "n",
            t => t.Set("a", Samples.Cluster("a", timeout: 1)).Remove(ResourceTypes.Cluster, "a").Set("a", Samples.Cluster("a", timeout: 2))
        );
        _cache.Find("n", ResourceTypes.Cluster, "a")!.Body.Unpack<Cluster>().ConnectTimeout.Seconds.Should().Be(2);
    }

    [Fact]
    public void Replacement_removes_other_resources_of_its_type_only()
    {
        _cache.Update("n", t => t.AddCluster("a").AddCluster("b"));
        _cache.Update("n", t => t.Replace(ResourceTypes.Cluster, [VersionedResource.Create("c", Samples.Cluster("c"))]));
        _cache.List("n", ResourceTypes.Cluster).Select(r => r.Name).Should().Equal("c");
        _cache.Count("n", ResourceTypes.ClusterLoadAssignment).Should().Be(2);
    }

    [Fact]
    public void Replacement_with_another_type_is_rejected()
    {
        var replace = () =>
            _cache.Update("n", t => t.Replace(ResourceTypes.Listener, [VersionedResource.Create("c", Samples.Cluster("c"))]));
        replace.Should().Throw<ArgumentException>().WithMessage("*Cluster*Listener*");
    }

    [Fact]
    public void Removed_node_is_discarded()
    {
        _cache.Update("n", t => t.AddCluster("a"));
        _cache.Nodes.Should().Equal("n");
        _cache.Remove("n").Should().BeTrue();
        _cache.Remove("n").Should().BeFalse();
        _cache.Nodes.Should().BeEmpty();
        _cache.List("n", ResourceTypes.Cluster).Should().BeEmpty();
    }

    [Fact]
    public async Task Streams_of_a_removed_node_receive_removals_and_it_can_return()
    {
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.Cluster);
        await client.TakeAsync();
        host.Cache.Remove("n");
        (await client.TakeAsync()).RemovedResources.Should().Equal("a");
        host.Cache.Nodes.Should().BeEmpty();
        host.Cache.Update("n", t => t.Set("b", Samples.Cluster("b")));
        (await client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        host.Cache.Nodes.Should().Equal("n");
    }

    [Fact]
    public void Concurrent_updates_of_one_node_are_all_applied()
    {
        Parallel.For(0, 1_000, i => _cache.Update("n", t => t.Set($"c{i}", Samples.Cluster($"c{i}"))));
        _cache.Count("n", ResourceTypes.Cluster).Should().Be(1_000);
    }
}

public sealed class XdsPeerTests
{
    [Theory]
    [InlineData("ipv4:10.0.0.7:41234", "10.0.0.7")]
    [InlineData("ipv6:[fd00::7]:41234", "fd00::7")]
    [InlineData("ipv6:[::ffff:10.0.0.7]:41234", "10.0.0.7")]
    [InlineData("unix:/run/xds.sock", "unix:/run/xds.sock")]
    [InlineData("", "")]
    public void Host_of_a_peer_is_its_IP_address(string peer, string host) => XdsPeer.HostOf(peer).Should().Be(host);
}
