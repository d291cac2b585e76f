using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Tenants are isolated from each other, even with identical object names.</summary>
public sealed class TwoTenantsTests
{
    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Two_tenants_with_the_same_names_get_their_own_address_and_backend(ProxyKind proxies)
    {
        await using var fixture = await SystemFixture.StartAsync(tenants: 2, proxies: proxies);
        await Task.WhenAll(fixture.ApplyBasicExampleAsync(0), fixture.ApplyBasicExampleAsync(1));

        var first = await fixture.ExpectBackendAsync("api.example.com", tenant: 0);
        var second = await fixture.ExpectBackendAsync("api.example.com", tenant: 1);

        (await fixture.AddressAsync(0)).Should().NotBe(await fixture.AddressAsync(1));
        first.Node.Should().NotBe(second.Node);
    }

    [Fact]
    public async Task Route_deleted_by_one_tenant_is_still_served_for_the_other()
    {
        await using var fixture = await SystemFixture.StartAsync(tenants: 2);
        await Task.WhenAll(fixture.ApplyBasicExampleAsync(0), fixture.ApplyBasicExampleAsync(1));

        await fixture.Tenants[0].DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenants[0].WaitGoneAsync<HttpRoute>("default", "api-route");

        await fixture.ExpectBackendAsync("api.example.com", tenant: 1);
        (await fixture.Management.GetAsync<HttpRoute>("tenant-t2", "default-api-route")).Should().NotBeNull();
    }
}
