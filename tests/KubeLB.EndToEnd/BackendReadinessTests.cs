using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A route whose backend has no pod reports it; before, all conditions were True and every request returned 503.</summary>
public sealed class BackendReadinessTests
{
    [Fact]
    public async Task Route_without_ready_endpoints_reports_NoReadyEndpoints_and_recovers()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.PatchAsync<V1Deployment>("default", "api", """{"spec":{"replicas":0}}""");
        var unready = await WaitAsync(fixture, c => c is { Status: "False", Reason: "NoReadyEndpoints" });
        Readiness(unready)!
            .Message.Should()
            .Be(
                "Service default/api-backend has no ready endpoints; requests to it return 503. "
                    + "No running pod matches its selector app=api: start pods or correct the selector."
            );
        await EventAsync(fixture, "Warning", "NoReadyEndpoints");

        await fixture.Tenant.PatchAsync<V1Deployment>("default", "api", """{"spec":{"replicas":1}}""");
        await WaitAsync(fixture, c => c is { Status: "True", Reason: "BackendsReady" });
        await EventAsync(fixture, "Normal", "BackendsReady");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private static Task<HttpRoute> WaitAsync(SystemFixture fixture, Func<Api.Condition, bool> isExpected) =>
        fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            route => Readiness(route) is { } condition && isExpected(condition),
            "reports the readiness of its backends"
        );

    private static Api.Condition? Readiness(HttpRoute route) =>
        route.Status?.Parents.Single().Conditions.Find(c => c.Type == "kubelb.k8c.io/BackendsReady");

    private static Task EventAsync(SystemFixture fixture, string type, string reason) =>
        Eventually.HoldsAsync(
            async () =>
                (await fixture.Tenant.ListAsync<Corev1Event>("default")).Count(e =>
                    e.InvolvedObject.Name == "api-route" && e.Type == type && e.Reason == reason
                ) == 1,
            $"the route has one {type} Event {reason}"
        );
}
