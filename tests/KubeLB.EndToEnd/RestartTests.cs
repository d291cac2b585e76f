using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A restart changes nothing and loses nothing.</summary>
public sealed class RestartTests
{
    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Restart_of_manager_and_CCM_writes_nothing(ProxyKind proxies)
    {
        await using var fixture = await SystemFixture.StartAsync(proxies: proxies);
        await fixture.ApplyBasicExampleAsync();
        await fixture.SettleAsync();
        var before = await SnapshotAsync(fixture);

        await fixture.StopCcmAsync();
        await fixture.StopManagerAsync();
        fixture.ForgetRequests();
        await fixture.StartManagerAsync();
        await fixture.StartCcmAsync();
        await fixture.SettleAsync();

        fixture.Writes().Should().BeEmpty();
        (await SnapshotAsync(fixture)).Should().Be(before);
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Changes_while_controllers_are_stopped_are_applied_after_their_start(bool ccm, bool manager)
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "doomed").Replace("api.example.com", "doomed.example.com"));
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "doomed", Statuses.IsAccepted, "is accepted");

        if (ccm)
        {
            await fixture.StopCcmAsync();
        }

        if (manager)
        {
            await fixture.StopManagerAsync();
        }

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["new.example.com"]}}""");
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "late").Replace("api.example.com", "late.example.com"));
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "doomed");

        if (manager)
        {
            await fixture.StartManagerAsync();
        }

        if (ccm)
        {
            await fixture.StartCcmAsync();
        }

        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "doomed");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-doomed");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "late", Statuses.IsAccepted, "is accepted");
        await fixture.ExpectBackendAsync("new.example.com");
        await fixture.ExpectBackendAsync("late.example.com");
    }

    [Fact]
    public async Task Restart_during_many_changes_loses_none()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var names = Enumerable.Range(0, 20).Select(i => $"r{i}").ToList();

        var apply = Task.WhenAll(
            names.Select(n =>
                fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", n).Replace("api.example.com", $"{n}.example.com"))
            )
        );
        await fixture.RestartCcmAsync();
        await fixture.RestartManagerAsync();
        await apply;

        foreach (var name in names)
        {
            await fixture.Tenant.WaitAsync<HttpRoute>(
                "default",
                name,
                r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
                "is accepted and resolved"
            );
        }

        (await fixture.Management.ListAsync<HttpRoute>("tenant-t1")).Should().HaveCount(names.Count + 1);
        (await fixture.Management.ListAsync<Route>("tenant-t1"))
            .Should()
            .HaveCount(names.Count + 2, "there is one Gateway beside the routes");
    }

    // All objects that manager and CCM wrote, as JSON.
    private static async Task<string> SnapshotAsync(SystemFixture fixture)
    {
        var json = new JsonArray();
        foreach (var route in await fixture.Management.ListAsync<Route>("tenant-t1"))
        {
            json.Add(ApiJson.ToJson(route));
        }

        foreach (var service in await fixture.Management.ListAsync<V1Service>("tenant-t1"))
        {
            json.Add(ApiJson.ToJson(service));
        }

        json.Add(ApiJson.ToJson((await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!));
        json.Add(ApiJson.ToJson((await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!));
        json.Add(ApiJson.ToJson((await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!));
        json.Add(ApiJson.ToJson((await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!));
        json.Add(ApiJson.ToJson((await fixture.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport"))!));
        return json.ToJsonString();
    }
}
