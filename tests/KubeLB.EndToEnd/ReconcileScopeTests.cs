using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The cost of a change depends on the affected objects, not on the total number.</summary>
public sealed class ReconcileScopeTests
{
    [Fact]
    public async Task New_route_does_not_reconcile_the_other_routes_of_its_Gateway()
    {
        const int Others = 30;
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        for (var i = 0; i < Others; i++)
        {
            await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
        }

        for (var i = 0; i < Others; i++)
        {
            await fixture.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await fixture.WaitUntilIdleAsync();
        var ccm = await ReconcileCounts.OfAsync(fixture.Sandbox.Tenants[0].Ccm.Host!);
        var manager = await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!);

        await fixture.Tenant.ApplyAsync(
            Documents.Route.Replace("api-route", "one-more").Replace("api.example.com", "one-more.example.com")
        );
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "one-more", Statuses.IsAccepted, "is accepted");
        await fixture.WaitUntilIdleAsync();

        (await ReconcileCounts.OfAsync(fixture.Sandbox.Tenants[0].Ccm.Host!) - ccm).Should().BeInRange(1, Others - 1);
        (await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!) - manager).Should().BeInRange(1, Others - 1);
    }
}
