using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class ServiceTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private readonly Api _api = fixture.Api;

    [Fact]
    public async Task Node_port_is_reserved_until_its_Service_is_deleted()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";
        var first = (await _api.PostAsync(services, NodePort("a", 31234))).ShouldBe(201);

        var second = (await _api.PostAsync(services, NodePort("b", 31234))).ShouldBe(422);
        second
            .Message.Should()
            .Be("Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 31234: provided port is already allocated");

        var deleted = (await _api.DeleteAsync($"{services}/a")).ShouldBe(200);
        deleted.TextAt("kind").Should().Be("Service", "deleting a Service returns the object");
        (await _api.PostAsync(services, NodePort("b", 31234))).ShouldBe(201);
        first.TextAt("spec.ports.0.nodePort").Should().Be("31234");
    }

    [Fact]
    public async Task Node_port_outside_the_range_is_rejected()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";

        var reply = (await _api.PostAsync(services, NodePort("a", 80))).ShouldBe(422);

        reply.Message.Should().EndWith("provided port is not in the valid range. The range of valid ports is 30000-32767");
    }

    [Fact]
    public async Task Rejected_Service_releases_its_allocations()
    {
        await using var small = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions { NodePortRange = (30000, 30000), Tls = false }
        );
        using var api = new Api(small);
        const string Services = "/api/v1/namespaces/default/services";

        (
            await api.PostAsync(
                Services,
                """{"metadata":{"name":"a"},"spec":{"type":"NodePort","clusterIP":"1.2.3.4","ports":[{"port":80,"nodePort":30000}]}}"""
            )
        ).ShouldBe(422);
        (await api.PostAsync($"{Services}?dryRun=All", NodePort("a", 30000))).ShouldBe(201);

        (await api.PostAsync(Services, NodePort("a", 30000))).ShouldBe(201);
    }

    [Fact]
    public async Task Update_without_addresses_keeps_them()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";
        var created = (await _api.PostAsync(services, NodePort("a", 0))).ShouldBe(201);

        var replaced = (await _api.PutAsync($"{services}/a", NodePort("a", 0).Replace("\"port\":80", "\"port\":81"))).ShouldBe(200);

        replaced.TextAt("spec.clusterIP").Should().Be(created.TextAt("spec.clusterIP"));
        replaced.TextAt("spec.ports.0.nodePort").Should().Be(created.TextAt("spec.ports.0.nodePort"));
        replaced.TextAt("spec.ports.0.port").Should().Be("81");
    }

    [Fact]
    public async Task Cluster_IP_is_immutable()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";
        (await _api.PostAsync(services, NodePort("a", 0))).ShouldBe(201);

        var reply = (
            await _api.MergeAsync($"{services}/a", """{"spec":{"clusterIP":"10.96.250.250","clusterIPs":["10.96.250.250"]}}""")
        ).ShouldBe(422);

        reply.Message.Should().Contain("spec.clusterIPs[0]: Invalid value: [\"10.96.250.250\"]: may not change once set");
    }

    [Fact]
    public async Task Change_from_NodePort_to_ClusterIP_releases_the_port()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";
        (await _api.PostAsync(services, NodePort("a", 31500))).ShouldBe(201);

        var changed = (await _api.MergeAsync($"{services}/a", """{"spec":{"type":"ClusterIP"}}""")).ShouldBe(200);

        changed.At("spec.ports.0.nodePort").Should().BeNull();
        changed.At("spec.externalTrafficPolicy").Should().BeNull();
        (await _api.PostAsync(services, NodePort("b", 31500))).ShouldBe(201);
    }

    [Fact]
    public async Task Service_name_must_be_a_DNS_1035_label()
    {
        var services = $"/api/v1/namespaces/{await _api.NamespaceAsync()}/services";

        var reply = (await _api.PostAsync(services, NodePort("1a", 0))).ShouldBe(422);

        reply.Message.Should().Contain("a DNS-1035 label must consist of");
    }

    private static string NodePort(string name, int port) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":{{{port}}} }]} }""";
}
