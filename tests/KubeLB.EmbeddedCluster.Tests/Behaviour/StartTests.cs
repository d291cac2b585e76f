using System.Net;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class StartTests
{
    [Fact]
    public async Task Address_that_is_not_loopback_is_rejected()
    {
        var start = () => EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Address = IPAddress.Any });

        await start
            .Should()
            .ThrowAsync<ArgumentException>()
            .WithMessage("Address 0.0.0.0 is not a loopback address; use 127.0.0.1 or ::1.*");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("10.96.0.0/31")]
    [InlineData("fd00::/108")]
    public async Task Invalid_Service_network_is_rejected(string cidr)
    {
        var start = () => EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { ServiceCidr = cidr });

        await start.Should().ThrowAsync<ArgumentException>().WithMessage($"Invalid Service network '{cidr}'*");
    }

    [Fact]
    public async Task Used_port_is_an_error()
    {
        await using var first = await EmbeddedCluster.StartAsync();

        var start = () => EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Port = first.Url.Port });

        await start.Should().ThrowAsync<IOException>().WithMessage($"*{first.Url.Port}*");
    }

    [Fact]
    public async Task New_cluster_has_the_initial_objects()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Name = "mine" });
        using var api = new Api(cluster);

        (await api.GetAsync("/api/v1/namespaces"))
            .At("items")!
            .AsArray()
            .Select(item => (string)item!["metadata"]!["name"]!)
            .Should()
            .Equal("default", "kube-node-lease", "kube-public", "kube-system");
        (await api.GetAsync("/api/v1/namespaces/default/services/kubernetes"))
            .ShouldBe(200)
            .TextAt("spec.clusterIP")
            .Should()
            .Be("10.96.0.1");
        (await api.GetAsync("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"))
            .ShouldBe(200)
            .TextAt("ports.0.port")
            .Should()
            .Be(cluster.Url.Port.ToString());
        (await api.GetAsync("/api/v1/namespaces/kube-system/serviceaccounts/default")).ShouldBe(200);
        (await api.DeleteAsync("/api/v1/namespaces/kube-system")).ShouldBe(403);
        cluster
            .KubeconfigYaml.Should()
            .Contain("current-context: mine")
            .And.Contain($"server: {cluster.Url.GetLeftPart(UriPartial.Authority)}");
    }

    [Fact]
    public async Task Stop_ends_watches_immediately()
    {
        var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        using var api = new Api(cluster);
        using var watch = await api.WatchAsync("/api/v1/configmaps?watch=1");

        var stopping = cluster.DisposeAsync();

        (await watch.NextAsync()).Should().BeNull();
        await stopping;
        await cluster.DisposeAsync();
    }
}
