using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>What a change of a Route costs the manager in requests, however many Routes the tenant has.</summary>
public sealed class ManagerCostTests
{
    private const string Tenant = "tenant-t1";

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public async Task A_new_route_costs_five_writes_and_an_edit_two_however_many_routes_there_are(int others)
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var gateway = (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;

        // Routes that stand for nothing in the tenant's cluster: its CCM would remove them.
        await bed.StopCcmAsync();
        foreach (var chunk in Enumerable.Range(0, others).Chunk(100))
        {
            await Parallel.ForEachAsync(
                chunk,
                new ParallelOptions { MaxDegreeOfParallelism = 16 },
                async (i, _) => await bed.Management.CreateAsync(CarriedRoutes.Http(Tenant, $"other-{i}"))
            );
            await AttachedAsync(bed, gateway, chunk[^1] + 2);
        }

        await ReconcileCounts.RestAsync(bed);

        bed.ForgetRequests();
        var reconciles = await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!, "route");
        await bed.Management.CreateAsync(CarriedRoutes.Http(Tenant, "fresh"));
        await bed.Management.WaitAsync<Route>(Tenant, "fresh", r => IsProgrammed(r), "is programmed");
        await AttachedAsync(bed, gateway, others + 2);
        await ReconcileCounts.RestAsync(bed);

        // What the Gateway reports of its routes is the last one.
        Requests(bed)
            .Should()
            .Equal(
                "patch routes/fresh",
                "create services/",
                "create httproutes/",
                "patch routes/fresh status",
                $"patch routes/{gateway} status"
            );
        (await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!, "route") - reconciles).Should().BeInRange(1, 25);

        bed.ForgetRequests();
        reconciles = await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!, "route");
        await bed.Management.PatchAsync<Route>(Tenant, "fresh", CarriedRoutes.Edit("edited.example.com", 2));
        await bed.Management.WaitAsync<Route>(
            Tenant,
            "fresh",
            r => IsProgrammed(r) && r.Status!.Resources!.Route!.SourceGeneration == 2,
            "is programmed anew"
        );
        await ReconcileCounts.RestAsync(bed);

        Requests(bed).Should().Equal("patch httproutes/default-fresh", "patch routes/fresh status");
        (await ReconcileCounts.OfAsync(bed.Sandbox.Manager.Host!, "route") - reconciles).Should().BeInRange(1, 25);
    }

    /// <summary>All that the manager asks of the API server but for its Lease and the watches that it has anyway.</summary>
    private static List<string> Requests(SystemFixture bed) =>
        [.. bed.Requests().Where(IsManagers).Select(r => $"{r.Verb} {r.Resource}/{r.Name} {r.Subresource}".TrimEnd())];

    private static bool IsManagers(RequestRecord request) =>
        request.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal) && request.Resource != "leases" && request.Verb != "watch";

    private static Task<Route> AttachedAsync(SystemFixture bed, string gateway, int count) =>
        bed.Management.WaitAsync<Route>(
            Tenant,
            gateway,
            r => r.Status?.Resources?.Route?.Status?["listeners"]?[0]?["attachedRoutes"]?.GetValue<int>() == count,
            $"has {count} routes"
        );

    private static bool IsProgrammed(Route route) =>
        route.Status?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Programmed) is { IsTrue: true } programmed
        && programmed.ObservedGeneration == route.Metadata.Generation;
}
