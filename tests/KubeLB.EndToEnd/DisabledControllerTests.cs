using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Objects of a disabled controller are cleaned up in both clusters, and served again once it is enabled.</summary>
public sealed class DisabledControllerTests
{
    private Func<CcmOptions, CcmOptions> _flags = options => options;

    [Fact]
    public async Task Disabled_HTTPRoute_controller_removes_routes_and_keeps_the_Gateway()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: options => options with { Ccm = o => _flags(o) });
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await fixture.InventoryAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served"
        );

        await RestartAsync(fixture, o => o with { DisableHttpRouteController = true });

        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
        await Eventually.GetAsync(
            "only what the tenant made is left",
            async () => (await fixture.InventoryAsync()).Except(before).ToList(),
            left => left.Count == 2,
            left => string.Join("; ", left)
        );

        await RestartAsync(fixture, o => o);
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served again"
        );
    }

    [Fact]
    public async Task Disabled_Gateway_controller_removes_Gateways_and_their_routes()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: options => options with { Ccm = o => _flags(o) });
        await fixture.ApplyBasicExampleAsync();

        await RestartAsync(fixture, o => o with { DisableGatewayController = true });

        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses is not { Count: > 0 },
            "is released"
        );
        gateway.Status!.Conditions.Should().NotContain(c => c.IsTrue);
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );
        Statuses.Condition(route, "Accepted")!.Message.Should().Contain("--disable-gateway-controller");
        await Eventually.GetAsync(
            "the management cluster holds nothing",
            () => fixture.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 0
        );
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");

        await RestartAsync(fixture, o => o);
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private async Task RestartAsync(SystemFixture fixture, Func<CcmOptions, CcmOptions> flags)
    {
        _flags = flags;
        await fixture.RestartCcmAsync();
    }
}
