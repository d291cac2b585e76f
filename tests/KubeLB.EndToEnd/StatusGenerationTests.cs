using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>No observer sees a True condition for a generation that is not applied, whichever component lags.</summary>
public sealed class StatusGenerationTests : IAsyncLifetime
{
    private const int Edits = 4;
    private readonly ConcurrentQueue<string> _violations = new();
    private SystemFixture _fixture = null!;
    private long _appliedRouteGeneration = 1;
    private long _appliedGatewayGeneration = 1;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Route_status_reports_no_new_generation_while_the_manager_is_stopped()
    {
        await using var observation = _fixture.Tenant.Observe<HttpRoute>("default", See);
        for (var edit = 1; edit <= Edits; edit++)
        {
            await _fixture.StopManagerAsync();
            await EditRouteAsync(edit);
            await WaitForRouteAsync(edit);
            await _fixture.SettleAsync();
            Volatile.Write(ref _appliedRouteGeneration, edit + 1);
            await _fixture.StartManagerAsync();
            await _fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, $"is accepted after edit {edit}");
        }

        _violations.Should().BeEmpty();
        await Eventually.HoldsAsync(() => Task.FromResult(observation.Seen > Edits), "the edits and most answers are seen");
    }

    [Fact]
    public async Task Route_status_reports_no_new_generation_while_Envoy_Gateway_lags()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject writes on demand");
        var management = (EmbeddedTestCluster)_fixture.Sandbox.Management;
        await using var observation = _fixture.Tenant.Observe<HttpRoute>("default", See);
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
                await _fixture.Management.WaitAsync<HttpRoute>(
                    "tenant-t1",
                    "default-api-route",
                    r => r.Spec!.Hostnames!.Contains($"v{edit}.example.com"),
                    $"has edit {edit}"
                );
                await Eventually.HoldsAsync(
                    () => Task.FromResult(management.Requests().Any(r => r.UserAgent == "envoy-gateway" && r.StatusCode == 500)),
                    "Envoy Gateway's status is rejected"
                );
                management.ForgetRequests();
            }

            Volatile.Write(ref _appliedRouteGeneration, edit + 1);
            await _fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, $"is accepted after edit {edit}");
        }

        _violations.Should().BeEmpty();
        await Eventually.HoldsAsync(() => Task.FromResult(observation.Seen > Edits), "the edits and most answers are seen");
    }

    [Fact]
    public async Task Gateway_status_reports_no_new_generation_while_the_manager_is_stopped()
    {
        await using var observation = _fixture.Tenant.Observe<Gateway>("default", See);
        await Eventually.HoldsAsync(() => Task.FromResult(observation.Seen > 0), "the Gateway is seen as it is");
        await _fixture.StopManagerAsync();
        await _fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"hostname":"*.example.com",
              "allowedRoutes":{"namespaces":{"from":"All"}}},
                                  {"name":"more","protocol":"HTTP","port":8080,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}
            """
        );
        await _fixture.Management.WaitAsync<Route>(
            "tenant-t1",
            (await _fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid,
            r => r.Kubernetes().Resource!.ToJsonString().Contains("8080", StringComparison.Ordinal),
            "has the new listener"
        );
        await _fixture.SettleAsync();

        Volatile.Write(ref _appliedGatewayGeneration, 2);
        await _fixture.StartManagerAsync();
        var gateway = await _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && g.Status!.Listeners!.Count == 2,
            "is programmed with both"
        );

        _violations.Should().BeEmpty();
        gateway.Status!.Listeners!.Should().OnlyContain(l => l.Conditions!.All(c => c.ObservedGeneration == 2));
        await Eventually.HoldsAsync(() => Task.FromResult(observation.Seen > 2), "the edit and its answers are seen");
    }

    private async Task EditRouteAsync(int edit) =>
        await _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", $$$"""{"spec":{"hostnames":["v{{{edit}}}.example.com"]}}""");

    private async Task WaitForRouteAsync(int edit) =>
        await _fixture.Management.WaitAsync<Route>(
            "tenant-t1",
            (await _fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid,
            r => r.Kubernetes().Resource!.ToJsonString().Contains($"v{edit}.example.com", StringComparison.Ordinal),
            $"has edit {edit}"
        );

    private void See(HttpRoute route) =>
        See(route.Status?.Parents.SelectMany(p => p.Conditions), route.Metadata.Generation, Volatile.Read(ref _appliedRouteGeneration));

    private void See(Gateway gateway) =>
        See(
            (gateway.Status?.Conditions ?? []).Concat((gateway.Status?.Listeners ?? []).SelectMany(l => l.Conditions ?? [])),
            gateway.Metadata.Generation,
            Volatile.Read(ref _appliedGatewayGeneration)
        );

    private void See(IEnumerable<Condition>? conditions, long? generation, long inForce)
    {
        foreach (
            var condition in (conditions ?? []).Where(c =>
                c.IsTrue && (c.ObservedGeneration > inForce || c.ObservedGeneration > generation)
            )
        )
        {
            _violations.Enqueue(
                $"{condition.Type} is True for generation {condition.ObservedGeneration}, applied is {inForce}, the object has "
                    + $"{generation}"
            );
        }
    }
}
