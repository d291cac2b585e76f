using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A change of settings makes the manager reconcile only the affected Routes.</summary>
public sealed class SettingsReconcileTests
{
    private const int Routes = 20;

    [Fact]
    public async Task Settings_change_reconciles_only_affected_Routes()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        for (var i = 1; i < Routes; i++)
        {
            await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
        }

        for (var i = 1; i < Routes; i++)
        {
            await fixture.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await fixture.WaitUntilIdleAsync();
        (await ReconcilesCausedByAsync(fixture, Tenant("""{"metadata":{"labels":{"customer":"a"}}}""")))
            .Should()
            .Be(0, "a label is no setting");
        (
            await ReconcilesCausedByAsync(
                fixture,
                Tenant("""{"spec":{"gatewayAPI":{"class":"eg","gateway":{"limit":5},"route":{"limit":500}}}}""")
            )
        )
            .Should()
            .Be(0, "nothing changes, or no limit is reached");
        (await ReconcilesCausedByAsync(fixture, Tenant("""{"spec":{"gatewayAPI":{"disableGRPCRoute":true}}}""")))
            .Should()
            .Be(0, "there is no GRPCRoute");
        (await ReconcilesCausedByAsync(fixture, Config("""{"spec":{"gatewayAPI":{"class":"other"}}}""")))
            .Should()
            .Be(0, "the Tenant overrides it");
        (await ReconcilesCausedByAsync(fixture, Tenant("""{"spec":{"defaultAnnotations":{"gateway":{"a":"b"}}}}""")))
            .Should()
            .BeInRange(1, Routes / 2, "there is one Gateway");
        (await ReconcilesCausedByAsync(fixture, Tenant($$"""{"spec":{"gatewayAPI":{"route":{"limit":{{Routes - 1}} } } } }""")))
            .Should()
            .BeInRange(1, Routes / 2, "one route is beyond the limit");
        (await ReconcilesCausedByAsync(fixture, Config("""{"spec":{"propagateAllAnnotations":true}}""")))
            .Should()
            .BeGreaterThanOrEqualTo(Routes, "it affects all of them");
    }

    private static Func<SystemFixture, Task> Tenant(string patch) => fixture => fixture.Management.PatchAsync<Tenant>("", "t1", patch);

    private static Func<SystemFixture, Task> Config(string patch) =>
        fixture => fixture.Management.PatchAsync<Config>("kubelb", Api.V1Alpha1.Config.DefaultName, patch);

    // Starts and ends with idle controllers. A result of the change, such as a new status, reconciles the Route again.
    private static async Task<int> ReconcilesCausedByAsync(SystemFixture fixture, Func<SystemFixture, Task> change)
    {
        var manager = fixture.Sandbox.Manager.Host!;
        var before = (Routes: await ReconcileCounts.OfAsync(manager, "route"), Tenants: await ReconcileCounts.OfAsync(manager, "tenant"));
        await change(fixture);
        await Eventually.HoldsAsync(async () => await ReconcileCounts.OfAsync(manager, "tenant") > before.Tenants, "the change is seen");
        await fixture.WaitUntilIdleAsync();
        return await ReconcileCounts.OfAsync(manager, "route") - before.Routes;
    }
}
