using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>Objects as API servers returned them when the Go implementation had written them.</summary>
public sealed class RecordedObjectsTests
{
    [Fact]
    public void Route_of_an_HTTPRoute_is_read_and_written_unchanged() =>
        Survives<Route>("route-of-httproute")
            .Should()
            .BeEquivalentTo(new { Name = "8604bad4-0a6f-4a7b-8e68-b56f2245fb50", Namespace = "tenant-t1" });

    [Fact]
    public void Route_status_has_the_generated_objects()
    {
        var resources = Survives<Route>("route-of-httproute").Status!.Resources!;

        resources.Route!.GeneratedName.Should().Be("bench-web");
        resources.Route.Conditions.Should().ContainSingle(c => c.IsTrue && c.Type == RouteConditions.ResourceAppliedSuccessfully);
        var service = resources.Services!["bench/web"];
        service.GeneratedName.Should().Be("bench-web-web");
        service.Ports.Should().ContainSingle(p => p.TargetPort!.Value == "53630");
    }

    [Fact]
    public void Route_of_a_Gateway_is_read_and_written_unchanged() =>
        Survives<Route>("route-of-gateway").Status!.Resources!.Route!.Status!["conditions"]!.AsArray().Should().HaveCount(2);

    [Fact]
    public void Addresses_are_read_and_written_unchanged() =>
        Survives<Addresses>("addresses").Spec!.Addresses.Should().ContainSingle(a => a.Ip == "10.0.0.2");

    [Fact]
    public void Config_is_read_and_written_unchanged() => Survives<Config>("config").Spec!.GatewayAPI!.Class.Should().Be("eg");

    [Fact]
    public void Tenant_is_read_and_written_unchanged() => Survives<Tenant>("tenant").Status!.Phase.Should().Be(TenantPhases.Ready);

    [Fact]
    public void TenantState_is_read_and_written_unchanged() =>
        Survives<TenantState>("tenantstate").Name.Should().Be(TenantState.DefaultName);

    [Fact]
    public void HTTPRoute_of_a_tenant_is_read_and_written_unchanged() =>
        Survives<HttpRoute>("httproute").Hostnames.Should().Equal("web.example.com");

    [Fact]
    public void Generated_HTTPRoute_is_read_and_written_unchanged() =>
        Survives<HttpRoute>("generated-httproute").Name.Should().Be("bench-web");

    [Fact]
    public void Gateway_of_a_tenant_is_read_and_written_unchanged() =>
        Survives<Gateway>("gateway").Spec!.Listeners.Should().ContainSingle(l => l.Port == 80);

    private static T Survives<T>(string fixture)
        where T : class
    {
        using var stream = typeof(RecordedObjectsTests).Assembly.GetManifestResourceStream(fixture)!;
        var json = JsonNode.Parse(stream)!;
        var value = ApiJson.Read<T>(json);
        var result = ApiJson.ToJson(value);
        Differences.Between(json, result).Should().BeEmpty();
        JsonNode.DeepEquals(json, result).Should().BeTrue();
        return value;
    }
}
