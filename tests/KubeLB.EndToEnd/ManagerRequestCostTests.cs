using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The manager's requests for a change of a Route, independent of the number of Routes.</summary>
public sealed class ManagerRequestCostTests
{
    private const string Tenant = "tenant-t1";

    [Theory]
    [InlineData(10)]
    [InlineData(300)]
    public async Task New_route_costs_five_writes_and_an_edit_two_at_any_scale(int others)
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var gateway = (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;

        // Routes without source objects in the tenant's cluster: the CCM would remove them.
        await fixture.StopCcmAsync();
        foreach (var chunk in Enumerable.Range(0, others).Chunk(100))
        {
            await Parallel.ForEachAsync(
                chunk,
                new ParallelOptions { MaxDegreeOfParallelism = 16 },
                async (i, _) => await fixture.Management.CreateAsync(CcmRoutes.Http(Tenant, $"other-{i}"))
            );
            await AttachedAsync(fixture, gateway, chunk[^1] + 2);
        }

        await fixture.WaitUntilIdleAsync();

        fixture.ForgetRequests();
        var reconciles = await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!, "route");
        await fixture.Management.CreateAsync(CcmRoutes.Http(Tenant, "fresh"));
        await fixture.Management.WaitAsync<Route>(Tenant, "fresh", r => IsProgrammed(r), "is programmed");
        await AttachedAsync(fixture, gateway, others + 2);
        await fixture.WaitUntilIdleAsync();

        // The last write is the number of attached routes of the Gateway.
        Requests(fixture)
            .Should()
            .Equal(
                "patch routes/fresh",
                "create services/",
                "create httproutes/",
                "patch routes/fresh status",
                $"patch routes/{gateway} status"
            );
        (await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!, "route") - reconciles).Should().BeInRange(1, 25);

        fixture.ForgetRequests();
        reconciles = await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!, "route");
        await fixture.Management.PatchAsync<Route>(Tenant, "fresh", CcmRoutes.Edit("edited.example.com", 2));
        await fixture.Management.WaitAsync<Route>(
            Tenant,
            "fresh",
            r => IsProgrammed(r) && r.Status!.Resources!.Route!.SourceGeneration == 2,
            "is programmed again"
        );
        await fixture.WaitUntilIdleAsync();

        Requests(fixture).Should().Equal("patch httproutes/default-fresh", "patch routes/fresh status");
        (await ReconcileCounts.OfAsync(fixture.Sandbox.Manager.Host!, "route") - reconciles).Should().BeInRange(1, 25);
    }

    /// <summary>
    /// All requests of the manager except those for its Lease and its watches, and the summary of the Tenant: one write per
    /// <see cref="KubeLB.Manager.Hosting.Delays.TenantSummary"/>, whatever the number of changes (<see cref="TenantSummaryTests"/>).
    /// </summary>
    private static List<string> Requests(SystemFixture fixture) =>
        [.. fixture.Requests().Where(IsManagers).Select(r => $"{r.Verb} {r.Resource}/{r.Name} {r.Subresource}".TrimEnd())];

    private static bool IsManagers(RequestRecord request) =>
        request.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal)
        && request.Resource is not ("leases" or "tenants")
        && request.Verb != "watch";

    private static Task<Route> AttachedAsync(SystemFixture fixture, string gateway, int count) =>
        fixture.Management.WaitAsync<Route>(
            Tenant,
            gateway,
            r => r.Status?.Resources?.Route?.Status?["listeners"]?[0]?["attachedRoutes"]?.GetValue<int>() == count,
            $"has {count} routes"
        );

    private static bool IsProgrammed(Route route) =>
        route.Status?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Programmed) is { IsTrue: true } programmed
        && programmed.ObservedGeneration == route.Metadata.Generation;
}
