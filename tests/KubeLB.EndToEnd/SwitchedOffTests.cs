using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>What a CCM is told to leave alone is cleaned up on both sides, and served again when it is told otherwise.</summary>
public sealed class SwitchedOffTests
{
    private Func<CcmOptions, CcmOptions> _flags = options => options;

    [Fact]
    public async Task Httproutes_that_are_switched_off_leave_nothing_but_the_gateway()
    {
        await using var bed = await SystemFixture.StartAsync(configure: options => options with { Ccm = o => _flags(o) });
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await bed.InventoryAsync();
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => Statuses.IsAccepted(r) && Statuses.IsResolved(r), "is served");

        await RestartAsync(bed, o => o with { DisableHttpRouteController = true });

        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
        await Eventually.GetAsync(
            "only what the tenant made is left",
            async () => (await bed.InventoryAsync()).Except(before).ToList(),
            left => left.Count == 2,
            left => string.Join("; ", left)
        );

        await RestartAsync(bed, o => o);
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served again"
        );
    }

    [Fact]
    public async Task Gateways_that_are_switched_off_go_with_their_routes()
    {
        await using var bed = await SystemFixture.StartAsync(configure: options => options with { Ccm = o => _flags(o) });
        await bed.ApplyBasicExampleAsync();

        await RestartAsync(bed, o => o with { DisableGatewayController = true });

        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses is not { Count: > 0 },
            "is released"
        );
        gateway.Status!.Conditions.Should().NotContain(c => c.IsTrue);
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );
        Statuses.Condition(route, "Accepted")!.Message.Should().Contain("--disable-gateway-controller");
        await Eventually.GetAsync(
            "the management cluster holds nothing",
            () => bed.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 0
        );
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");

        await RestartAsync(bed, o => o);
        await bed.ExpectBackendAsync("api.example.com");
    }

    private async Task RestartAsync(SystemFixture bed, Func<CcmOptions, CcmOptions> flags)
    {
        _flags = flags;
        await bed.RestartCcmAsync();
    }
}
