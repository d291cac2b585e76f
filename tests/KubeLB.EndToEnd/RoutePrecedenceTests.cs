using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Of two routes with equal matches the older one is served, also after it was not served for some time.</summary>
public sealed class RoutePrecedenceTests
{
    private const string Host = "order.example.com";

    [Fact]
    public async Task Oldest_route_takes_precedence_after_it_was_detached_or_disabled()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api", "blue"));
        await fixture.Tenant.ApplyAsync(Documents.Deployment.Replace("api", "blue").Replace("blueVersion", "apiVersion"));
        await ApplyRouteAsync(fixture, "zz-first", "api-backend");
        await ExpectAsync(fixture, "api-");
        var created = await CreatedAsync(fixture);
        await Eventually.HoldsAsync(() => DateTime.UtcNow >= created.AddSeconds(1), "creation times differ");
        await ApplyRouteAsync(fixture, "aa-second", "blue-backend");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "aa-second", Statuses.IsAccepted, "is accepted");
        await ExpectAsync(fixture, "api-");

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "zz-first", ParentRefs("""{"name":"my-gateway","sectionName":"typo"}"""));
        await ExpectAsync(fixture, "blue-");
        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-zz-first-api-backend");
        await fixture.SettleAsync();
        fixture.ForgetRequests();
        await fixture.SettleAsync();
        fixture.Writes().Should().BeEmpty("a parked route is stable");
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "zz-first", ParentRefs("""{"name":"my-gateway"}"""));
        await ExpectAsync(fixture, "api-");

        await fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"disableHTTPRoute":true}}}""");
        foreach (var name in new[] { "default-zz-first", "default-aa-second" })
        {
            await fixture.Management.WaitAsync<HttpRoute>("tenant-t1", name, r => r.ParentRefs.Count == 0, "is parked");
        }

        await fixture.ExpectStatusAsync(await fixture.AddressAsync(), Host, 404);
        await fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"disableHTTPRoute":null}}}""");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "aa-second", Statuses.IsAccepted, "is accepted again");
        await ExpectAsync(fixture, "api-");
        (await CreatedAsync(fixture)).Should().Be(created);

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "zz-first", ParentRefs("""{"name":"not-managed"}"""));
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-zz-first");
        await ExpectAsync(fixture, "blue-");
    }

    private static Task ApplyRouteAsync(SystemFixture fixture, string name, string service) =>
        fixture.Tenant.ApplyAsync(
            Documents.Route.Replace("api-route", name).Replace("api.example.com", Host).Replace("api-backend", service)
        );

    private static string ParentRefs(string parentRef) => $$$"""{"spec":{"parentRefs":[{{{parentRef}}}]}}""";

    private static async Task<DateTime> CreatedAsync(SystemFixture fixture) =>
        (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-zz-first"))!.Metadata.CreationTimestamp!.Value;

    private static Task<Echo> ExpectAsync(SystemFixture fixture, string pods) =>
        Eventually.GetAsync(
            $"requests are answered by {pods}",
            () => fixture.ExpectBackendAsync(Host),
            echo => echo.Pod.StartsWith(pods, StringComparison.Ordinal)
        );
}
