using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Tenants do not see each other, even where everything has the same name.</summary>
public sealed class TwoTenantsTests
{
    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Two_tenants_with_the_same_names_get_their_own_address_and_backend(ProxyKind proxies)
    {
        await using var bed = await SystemFixture.StartAsync(tenants: 2, proxies: proxies);
        await Task.WhenAll(bed.ApplyBasicExampleAsync(0), bed.ApplyBasicExampleAsync(1));

        var first = await bed.ExpectBackendAsync("api.example.com", tenant: 0);
        var second = await bed.ExpectBackendAsync("api.example.com", tenant: 1);

        (await bed.AddressAsync(0)).Should().NotBe(await bed.AddressAsync(1));
        first.Node.Should().NotBe(second.Node);
    }

    [Fact]
    public async Task A_route_deleted_by_one_tenant_goes_on_serving_the_other()
    {
        await using var bed = await SystemFixture.StartAsync(tenants: 2);
        await Task.WhenAll(bed.ApplyBasicExampleAsync(0), bed.ApplyBasicExampleAsync(1));

        await bed.Tenants[0].DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenants[0].WaitGoneAsync<HttpRoute>("default", "api-route");

        await bed.ExpectBackendAsync("api.example.com", tenant: 1);
        (await bed.Management.GetAsync<HttpRoute>("tenant-t2", "default-api-route")).Should().NotBeNull();
    }
}
