using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A change of settings makes the manager look at what it concerns.</summary>
public sealed class SettingsWorkTests
{
    private const int Routes = 20;

    [Fact]
    public async Task A_change_of_settings_wakes_the_routes_whose_outcome_can_differ()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        for (var i = 1; i < Routes; i++)
        {
            await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
        }

        for (var i = 1; i < Routes; i++)
        {
            await bed.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await ReconcileCounts.RestAsync(bed);
        (await WokenByAsync(bed, Tenant("""{"metadata":{"labels":{"customer":"a"}}}"""))).Should().Be(0, "a label is no setting");
        (await WokenByAsync(bed, Tenant("""{"spec":{"gatewayAPI":{"class":"eg","gateway":{"limit":5},"route":{"limit":500}}}}""")))
            .Should()
            .Be(0, "all of it is as it was, or out of reach");
        (await WokenByAsync(bed, Tenant("""{"spec":{"gatewayAPI":{"disableGRPCRoute":true}}}"""))).Should().Be(0, "there is no GRPCRoute");
        (await WokenByAsync(bed, Config("""{"spec":{"gatewayAPI":{"class":"other"}}}"""))).Should().Be(0, "the Tenant says otherwise");
        (await WokenByAsync(bed, Tenant("""{"spec":{"defaultAnnotations":{"gateway":{"a":"b"}}}}""")))
            .Should()
            .BeInRange(1, Routes / 2, "there is one Gateway");
        (await WokenByAsync(bed, Tenant($$"""{"spec":{"gatewayAPI":{"route":{"limit":{{Routes - 1}} } } } }""")))
            .Should()
            .BeInRange(1, Routes / 2, "one route is beyond the limit");
        (await WokenByAsync(bed, Config("""{"spec":{"propagateAllAnnotations":true}}""")))
            .Should()
            .BeGreaterThanOrEqualTo(Routes, "it concerns all of them");
    }

    private static Func<SystemFixture, Task> Tenant(string patch) => bed => bed.Management.PatchAsync<Tenant>("", "t1", patch);

    private static Func<SystemFixture, Task> Config(string patch) =>
        bed => bed.Management.PatchAsync<Config>("kubelb", Api.V1Alpha1.Config.DefaultName, patch);

    // Starts from a state of rest and leaves one. What follows from a change, a new status for one, wakes the Route again.
    private static async Task<int> WokenByAsync(SystemFixture bed, Func<SystemFixture, Task> change)
    {
        var manager = bed.Sandbox.Manager.Host!;
        var before = (Routes: await ReconcileCounts.OfAsync(manager, "route"), Tenants: await ReconcileCounts.OfAsync(manager, "tenant"));
        await change(bed);
        await Eventually.HoldsAsync("the change is seen", async () => await ReconcileCounts.OfAsync(manager, "tenant") > before.Tenants);
        await ReconcileCounts.RestAsync(bed);
        return await ReconcileCounts.OfAsync(manager, "route") - before.Routes;
    }
}
