using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Status never lies: whatever lags, no observer sees a True condition for a generation that is not in force.</summary>
public sealed class StatusTruthTests : IAsyncLifetime
{
    private const int Edits = 4;
    private readonly ConcurrentQueue<string> _lies = new();
    private SystemFixture _bed = null!;
    private long _routeInForce = 1;
    private long _gatewayInForce = 1;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task While_the_manager_is_down_nothing_new_is_claimed_of_a_route()
    {
        await using var observation = _bed.Tenant.Observe<HttpRoute>("default", See);
        for (var edit = 1; edit <= Edits; edit++)
        {
            await _bed.StopManagerAsync();
            await EditRouteAsync(edit);
            await CarriedAsync(edit);
            await _bed.SettleAsync();
            Volatile.Write(ref _routeInForce, edit + 1);
            await _bed.StartManagerAsync();
            await _bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, $"is accepted after edit {edit}");
        }

        _lies.Should().BeEmpty();
        await Eventually.HoldsAsync("the edits and most answers are seen", () => Task.FromResult(observation.Seen > Edits));
    }

    [Fact]
    public async Task While_envoy_gateway_lags_nothing_new_is_claimed_of_a_route()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters refuse writes on demand");
        var management = (EmbeddedTestCluster)_bed.Sandbox.Management;
        await using var observation = _bed.Tenant.Observe<HttpRoute>("default", See);
        for (var edit = 1; edit <= Edits; edit++)
        {
            using (
                management.Server.Faults.Add(
                    new FaultRule
                    {
                        Matches = r => r.IsWrite && r.UserAgent == "envoy-gateway",
                        StatusCode = 500,
                        Times = null,
                    }
                )
            )
            {
                await EditRouteAsync(edit);
                await _bed.Management.WaitAsync<HttpRoute>(
                    "tenant-t1",
                    "default-api-route",
                    r => r.Spec!.Hostnames!.Contains($"v{edit}.example.com"),
                    $"has edit {edit}"
                );
                await Eventually.HoldsAsync(
                    "Envoy Gateway's status is refused",
                    () => Task.FromResult(management.Requests().Any(r => r.UserAgent == "envoy-gateway" && r.StatusCode == 500))
                );
                management.ForgetRequests();
            }

            Volatile.Write(ref _routeInForce, edit + 1);
            await _bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, $"is accepted after edit {edit}");
        }

        _lies.Should().BeEmpty();
        await Eventually.HoldsAsync("the edits and most answers are seen", () => Task.FromResult(observation.Seen > Edits));
    }

    [Fact]
    public async Task While_the_manager_is_down_nothing_new_is_claimed_of_a_gateway()
    {
        await using var observation = _bed.Tenant.Observe<Gateway>("default", See);
        await Eventually.HoldsAsync("the Gateway is seen as it is", () => Task.FromResult(observation.Seen > 0));
        await _bed.StopManagerAsync();
        await _bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"hostname":"*.example.com","allowedRoutes":{"namespaces":{"from":"All"}}},
                                  {"name":"more","protocol":"HTTP","port":8080,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}
            """
        );
        await _bed.Management.WaitAsync<Route>(
            "tenant-t1",
            (await _bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid,
            r => r.Kubernetes().Resource!.ToJsonString().Contains("8080", StringComparison.Ordinal),
            "has the new listener"
        );
        await _bed.SettleAsync();

        Volatile.Write(ref _gatewayInForce, 2);
        await _bed.StartManagerAsync();
        var gateway = await _bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && g.Status!.Listeners!.Count == 2,
            "is programmed with both"
        );

        _lies.Should().BeEmpty();
        gateway.Status!.Listeners!.Should().OnlyContain(l => l.Conditions!.All(c => c.ObservedGeneration == 2));
        await Eventually.HoldsAsync("the edit and its answers are seen", () => Task.FromResult(observation.Seen > 2));
    }

    private async Task EditRouteAsync(int edit) =>
        await _bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", $$$"""{"spec":{"hostnames":["v{{{edit}}}.example.com"]}}""");

    private async Task CarriedAsync(int edit) =>
        await _bed.Management.WaitAsync<Route>(
            "tenant-t1",
            (await _bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid,
            r => r.Kubernetes().Resource!.ToJsonString().Contains($"v{edit}.example.com", StringComparison.Ordinal),
            $"has edit {edit}"
        );

    private void See(HttpRoute route) =>
        See(route.Status?.Parents.SelectMany(p => p.Conditions), route.Metadata.Generation, Volatile.Read(ref _routeInForce));

    private void See(Gateway gateway) =>
        See(
            (gateway.Status?.Conditions ?? []).Concat((gateway.Status?.Listeners ?? []).SelectMany(l => l.Conditions ?? [])),
            gateway.Metadata.Generation,
            Volatile.Read(ref _gatewayInForce)
        );

    private void See(IEnumerable<Condition>? conditions, long? generation, long inForce)
    {
        foreach (
            var condition in (conditions ?? []).Where(c =>
                c.IsTrue && (c.ObservedGeneration > inForce || c.ObservedGeneration > generation)
            )
        )
        {
            _lies.Enqueue(
                $"{condition.Type} is True for generation {condition.ObservedGeneration}, in force is {inForce}, the object has "
                    + $"{generation}"
            );
        }
    }
}
