using System.Collections.Immutable;
using KubeLB.Sandbox.Proxies;

namespace KubeLB.Sandbox.Tests.Proxies;

public sealed class SnapshotTests
{
    private static readonly ProxyCluster Web = Cluster("web", new ProxyEndpoint("10.0.0.1", 30080), new ProxyEndpoint("10.0.0.2", 30080));
    private static readonly ProxyCluster Rpc = Cluster("rpc", new ProxyEndpoint("10.0.0.1", 30081)) with
    {
        Protocol = UpstreamProtocol.Http2,
    };
    private static readonly ProxyListener ToWeb = new("l-web", 10000, ListenerProtocol.Http, "web");
    private static readonly ProxyListener ToRpc = new("l-rpc", 10001, ListenerProtocol.Http, "rpc");

    [Fact]
    public void Empty_snapshot_has_only_a_version()
    {
        Snapshot.Empty.Listeners.Should().BeEmpty();
        Snapshot.Empty.Clusters.Should().BeEmpty();
        Snapshot.Empty.Version.Should().MatchRegex("^[0-9a-f]{16}$").And.Be(new Snapshot([], []).Version);
    }

    [Fact]
    public void Snapshot_finds_listeners_and_clusters_by_name()
    {
        var snapshot = new Snapshot([ToWeb, ToRpc], [Web, Rpc]);

        snapshot.Listeners.Should().Equal(new Dictionary<string, ProxyListener> { ["l-rpc"] = ToRpc, ["l-web"] = ToWeb });
        snapshot.Clusters.Should().Equal(new Dictionary<string, ProxyCluster> { ["rpc"] = Rpc, ["web"] = Web });
    }

    [Fact]
    public void Two_listeners_with_one_port_are_an_error() =>
        Building([ToWeb, ToRpc with { Port = 10000 }], [Web, Rpc]).Should().Throw<ArgumentException>().WithMessage("*l-web*10000*");

    [Fact]
    public void Two_listeners_with_one_name_are_an_error() =>
        Building([ToWeb, ToRpc with { Name = "l-web" }], [Web, Rpc]).Should().Throw<ArgumentException>().WithMessage("*l-web*");

    [Fact]
    public void Two_clusters_with_one_name_are_an_error() =>
        Building([], [Web, Rpc with { Name = "web" }]).Should().Throw<ArgumentException>().WithMessage("*web*");

    [Fact]
    public void Listener_without_cluster_is_an_error() =>
        Building([ToWeb, ToRpc], [Web]).Should().Throw<ArgumentException>().WithMessage("*l-rpc*cluster rpc*");

    [Fact]
    public void Snapshot_names_are_case_sensitive()
    {
        var snapshot = new Snapshot([ToWeb, ToWeb with { Name = "L-WEB", Port = 10002 }], [Web, Web with { Name = "WEB" }]);

        snapshot.Listeners.Should().HaveCount(2);
        snapshot.Clusters.Should().HaveCount(2);
        Building([ToWeb with { Cluster = "Web" }], [Web]).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Duplicate_resources_are_stored_once() =>
        new Snapshot([ToWeb, ToWeb with { }], [Web, Cluster("web", [.. Web.Endpoints])])
            .Version.Should()
            .Be(new Snapshot([ToWeb], [Web]).Version);

    [Fact]
    public void Snapshot_version_ignores_the_order_of_resources() =>
        new Snapshot([ToRpc, ToWeb], [Rpc, Web]).Version.Should().Be(new Snapshot([ToWeb, ToRpc], [Web, Rpc]).Version);

    [Fact]
    public void Equal_content_has_the_same_version() =>
        new Snapshot([new("l-web", 10000, ListenerProtocol.Http, "web")], [Cluster("web", [.. Web.Endpoints])])
            .Version.Should()
            .Be(new Snapshot([ToWeb], [Web]).Version);

    [Fact]
    public void Snapshot_version_depends_on_every_field()
    {
        var first = new ProxyEndpoint("10.0.0.1", 30080);
        Snapshot[] snapshots =
        [
            Snapshot.Empty,
            new([], [Web]),
            new([], [Web, Rpc]),
            new([ToWeb], [Web]),
            new([ToWeb], [Web, Rpc]),
            new([ToWeb with { Name = "other" }], [Web]),
            new([ToWeb with { Port = 10009 }], [Web]),
            new([ToWeb with { Protocol = ListenerProtocol.Tcp }], [Web]),
            new([ToWeb with { Cluster = "rpc" }], [Web, Rpc]),
            new([], [Web with { Name = "other" }]),
            new([], [Web with { Protocol = UpstreamProtocol.Http2 }]),
            new([], [Web with { Endpoints = [] }]),
            new([], [Web with { Endpoints = [first] }]),
            new([], [Web with { Endpoints = [first with { Port = 30081 }] }]),
            new([], [Web with { Endpoints = [first with { Address = "10.0.0.9" }] }]),
            new([], [Web with { Endpoints = [.. Web.Endpoints.Reverse()] }]),
        ];

        snapshots.Select(s => s.Version).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void Content_that_is_equal_only_when_joined_has_another_version()
    {
        var two = Cluster("web", new ProxyEndpoint("a", 1), new ProxyEndpoint("b", 2));
        var one = Cluster("web", new ProxyEndpoint("a\t1\ne\tb", 2));

        new Snapshot([], [one]).Version.Should().NotBe(new Snapshot([], [two]).Version);
    }

    [Fact]
    public void Clusters_are_equal_by_their_endpoints()
    {
        var again = Cluster("web", [.. Web.Endpoints]);

        again.Should().Be(Web);
        again.GetHashCode().Should().Be(Web.GetHashCode());
        (Web with { Endpoints = [Web.Endpoints[0]] }).Should().NotBe(Web);
        Web.Should().NotBe(Rpc);
        Web.Equals(null).Should().BeFalse();
    }

    private static Func<Snapshot> Building(ProxyListener[] listeners, ProxyCluster[] clusters) => () => new Snapshot(listeners, clusters);

    private static ProxyCluster Cluster(string name, params ImmutableArray<ProxyEndpoint> endpoints) =>
        new(name, UpstreamProtocol.Http1, endpoints);
}
