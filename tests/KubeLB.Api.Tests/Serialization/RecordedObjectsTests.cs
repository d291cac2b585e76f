using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>Objects as API servers returned them when the Go implementation had written them.</summary>
public sealed class RecordedObjectsTests
{
    [Fact]
    public void A_route_of_an_httproute() =>
        Survives<Route>("route-of-httproute")
            .Should()
            .BeEquivalentTo(new { Name = "8604bad4-0a6f-4a7b-8e68-b56f2245fb50", Namespace = "tenant-t1" });

    [Fact]
    public void A_route_says_what_was_generated_for_it()
    {
        var resources = Survives<Route>("route-of-httproute").Status!.Resources!;

        resources.Route!.GeneratedName.Should().Be("bench-web");
        resources.Route.Conditions.Should().ContainSingle(c => c.IsTrue && c.Type == RouteConditions.ResourceAppliedSuccessfully);
        var service = resources.Services!["bench/web"];
        service.GeneratedName.Should().Be("bench-web-web");
        service.Ports.Should().ContainSingle(p => p.TargetPort!.Value == "53630");
    }

    [Fact]
    public void A_route_of_a_gateway() =>
        Survives<Route>("route-of-gateway").Status!.Resources!.Route!.Status!["conditions"]!.AsArray().Should().HaveCount(2);

    [Fact]
    public void Addresses_of_a_tenant() => Survives<Addresses>("addresses").Spec!.Addresses.Should().ContainSingle(a => a.Ip == "10.0.0.2");

    [Fact]
    public void A_config() => Survives<Config>("config").Spec!.GatewayAPI!.Class.Should().Be("eg");

    [Fact]
    public void A_tenant() => Survives<Tenant>("tenant").Status!.Phase.Should().Be(TenantPhases.Ready);

    [Fact]
    public void A_tenant_state() => Survives<TenantState>("tenantstate").Name.Should().Be(TenantState.DefaultName);

    [Fact]
    public void A_tenants_httproute() => Survives<HttpRoute>("httproute").Hostnames.Should().Equal("web.example.com");

    [Fact]
    public void A_generated_httproute() => Survives<HttpRoute>("generated-httproute").Name.Should().Be("bench-web");

    [Fact]
    public void A_tenants_gateway() => Survives<Gateway>("gateway").Spec!.Listeners.Should().ContainSingle(l => l.Port == 80);

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
