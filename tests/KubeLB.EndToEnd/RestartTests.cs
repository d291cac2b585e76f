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
    public async Task A_restart_of_both_writes_nothing(ProxyKind proxies)
    {
        await using var bed = await SystemFixture.StartAsync(proxies: proxies);
        await bed.ApplyBasicExampleAsync();
        await bed.SettleAsync();
        var before = await SnapshotAsync(bed);

        await bed.StopCcmAsync();
        await bed.StopManagerAsync();
        bed.ForgetRequests();
        await bed.StartManagerAsync();
        await bed.StartCcmAsync();
        await bed.SettleAsync();

        bed.Writes().Should().BeEmpty();
        (await SnapshotAsync(bed)).Should().Be(before);
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task What_changes_while_they_are_down_is_caught_up_with(bool ccm, bool manager)
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "doomed").Replace("api.example.com", "doomed.example.com"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "doomed", Statuses.IsAccepted, "is accepted");

        if (ccm)
        {
            await bed.StopCcmAsync();
        }

        if (manager)
        {
            await bed.StopManagerAsync();
        }

        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["new.example.com"]}}""");
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "late").Replace("api.example.com", "late.example.com"));
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "doomed");

        if (manager)
        {
            await bed.StartManagerAsync();
        }

        if (ccm)
        {
            await bed.StartCcmAsync();
        }

        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "doomed");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-doomed");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "late", Statuses.IsAccepted, "is accepted");
        await bed.ExpectBackendAsync("new.example.com");
        await bed.ExpectBackendAsync("late.example.com");
    }

    [Fact]
    public async Task A_restart_in_the_middle_of_many_changes_loses_none()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var names = Enumerable.Range(0, 20).Select(i => $"r{i}").ToList();

        var apply = Task.WhenAll(
            names.Select(n => bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", n).Replace("api.example.com", $"{n}.example.com")))
        );
        await bed.RestartCcmAsync();
        await bed.RestartManagerAsync();
        await apply;

        foreach (var name in names)
        {
            await bed.Tenant.WaitAsync<HttpRoute>(
                "default",
                name,
                r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
                "is accepted and resolved"
            );
        }

        (await bed.Management.ListAsync<HttpRoute>("tenant-t1")).Should().HaveCount(names.Count + 1);
        (await bed.Management.ListAsync<Route>("tenant-t1")).Should().HaveCount(names.Count + 2, "there is one Gateway beside the routes");
    }

    // Everything that the two wrote, to the letter.
    private static async Task<string> SnapshotAsync(SystemFixture bed)
    {
        var json = new JsonArray();
        foreach (var route in await bed.Management.ListAsync<Route>("tenant-t1"))
        {
            json.Add(ApiJson.ToJson(route));
        }

        foreach (var service in await bed.Management.ListAsync<V1Service>("tenant-t1"))
        {
            json.Add(ApiJson.ToJson(service));
        }

        json.Add(ApiJson.ToJson((await bed.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!));
        json.Add(ApiJson.ToJson((await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!));
        json.Add(ApiJson.ToJson((await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!));
        json.Add(ApiJson.ToJson((await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!));
        json.Add(ApiJson.ToJson((await bed.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport"))!));
        return json.ToJsonString();
    }
}
