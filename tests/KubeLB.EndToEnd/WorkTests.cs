using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A change costs what depends on it, not what is there.</summary>
public sealed class WorkTests
{
    [Fact]
    public async Task A_new_route_does_not_wake_the_other_routes_of_its_gateway()
    {
        const int Others = 30;
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        for (var i = 0; i < Others; i++)
        {
            await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
        }

        for (var i = 0; i < Others; i++)
        {
            await bed.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await ReconcileCounts.RestAsync(bed);
        var ccm = await ReconcileCounts.OfAsync(bed.Sandbox.Tenants[0].Ccm.Host!);
        var manager = await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!);

        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "one-more").Replace("api.example.com", "one-more.example.com"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "one-more", Statuses.IsAccepted, "is accepted");
        await ReconcileCounts.RestAsync(bed);

        (await ReconcileCounts.OfAsync(bed.Sandbox.Tenants[0].Ccm.Host!) - ccm).Should().BeInRange(1, Others - 1);
        (await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!) - manager).Should().BeInRange(1, Others - 1);
    }
}
