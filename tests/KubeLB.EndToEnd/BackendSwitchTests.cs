using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>
/// A route that turns from one Service to another, as in a blue-green deployment, loses no request to the one that it leaves.
/// </summary>
public sealed class BackendSwitchTests(ITestOutputHelper output)
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task No_request_fails_while_a_backend_that_a_route_has_left_is_cleared_away(ProxyKind proxies)
    {
        await using var bed = await SystemFixture.StartAsync(proxies: proxies);
        await bed.ApplyBasicExampleAsync();
        await bed.ExpectBackendAsync("api.example.com");
        await bed.Tenant.ApplyAsync(
            Documents
                .Backend.Replace("api-backend", "green", StringComparison.Ordinal)
                .Replace("app: api", "app: green", StringComparison.Ordinal)
        );
        await bed.Tenant.ApplyAsync(
            Documents
                .Deployment.Replace("name: api", "name: green", StringComparison.Ordinal)
                .Replace("app: api", "app: green", StringComparison.Ordinal)
        );
        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"green","port":8080}]}]}}"""
        );
        await Eventually.HoldsAsync(
            "green answers",
            async () => (await bed.ExpectBackendAsync("api.example.com")).Pod.StartsWith("green-", StringComparison.Ordinal)
        );
        var address = await bed.AddressAsync();
        using var client = new HttpClient();
        using var stop = new CancellationTokenSource();
        var answers = new Dictionary<HttpStatusCode, int>();
        var asking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/") { Headers = { Host = "api.example.com" } };
                using var response = await client.SendAsync(request);
                answers[response.StatusCode] = answers.GetValueOrDefault(response.StatusCode) + 1;
            }
        });

        await bed.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await stop.CancelAsync();
        await asking;

        answers.Keys.Should().Equal(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Fifty_switches_to_fresh_services_under_load_fail_no_request()
    {
        await using var bed = await StartWithEnvoysAsync();
        await using var load = await GatewayLoad.StartAsync(bed, perSecond: 200);

        for (var i = 0; i < 50; i++)
        {
            await TurnAsync(bed, $"fresh-{i}");
            await GeneratedAsync(bed, $"fresh-{i}");
        }

        var failures = await load.StopAsync();
        output.WriteLine($"50 switches: {failures.Count} of {load.Sent} requests failed");

        // 500 is the stand-in for Envoy Gateway, whose watch of Services may lag behind that of routes; a proxy that does not serve yet is
        // 503.
        failures.Where(f => !f.What.StartsWith("500 ", StringComparison.Ordinal)).Should().BeEmpty("{0} requests were sent", load.Sent);
    }

    [Fact]
    public async Task Switches_while_the_manager_is_away_fail_no_request()
    {
        await using var bed = await StartWithEnvoysAsync();
        await using var load = await GatewayLoad.StartAsync(bed, perSecond: 200);

        for (var i = 0; i < 5; i++)
        {
            await bed.Sandbox.Manager.StopAsync();
            await TurnAsync(bed, $"fresh-{i}");
            await bed.Management.WaitAsync<Route>(
                TenantNamespace,
                (await bed.Management.ListAsync<Route>(TenantNamespace))
                    .Single(r => r.Metadata.Labels["kubelb.k8c.io/origin-name"] == "api-route")
                    .Name,
                r => ApiJson.ToJson(r.Spec!).ToJsonString().Contains($"fresh-{i}-nodeport", StringComparison.Ordinal),
                "has turned"
            );
            await bed.Sandbox.Manager.StartAsync();
            await GeneratedAsync(bed, $"fresh-{i}");
        }

        var failures = await load.StopAsync();
        output.WriteLine($"5 restarts of the manager with a switch each: {failures.Count} of {load.Sent} requests failed");

        // 500 is the stand-in for Envoy Gateway, whose watch of Services may lag behind that of routes; a proxy that does not serve yet is
        // 503.
        failures.Where(f => !f.What.StartsWith("500 ", StringComparison.Ordinal)).Should().BeEmpty("{0} requests were sent", load.Sent);
    }

    private static async Task<SystemFixture> StartWithEnvoysAsync()
    {
        var bed = await SystemFixture.StartAsync(proxies: ProxyKind.Envoy);
        await bed.ConfigureProxiesAsync("""{"replicas":2}""");
        await bed.ApplyBasicExampleAsync();
        await bed.ExpectBackendAsync("api.example.com");
        await bed.Management.WaitAsync<V1Deployment>(
            TenantNamespace,
            "envoy-tenant-t1",
            d => d.Status?.AvailableReplicas == 2,
            "is available"
        );
        return bed;
    }

    // To another Service in front of the same pods.
    private static async Task TurnAsync(SystemFixture bed, string service)
    {
        await bed.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", service, StringComparison.Ordinal));
        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            $$$"""{"spec":{"rules":[{"backendRefs":[{"name":"{{{service}}}","port":8080}]}]}}"""
        );
    }

    private static Task<HttpRoute> GeneratedAsync(SystemFixture bed, string service) =>
        bed.Management.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-api-route",
            r => r.Spec!.Rules!.Single().BackendRefs!.Single().Name == $"default-api-route-{service}",
            $"leads to {service}"
        );

    [Fact]
    public async Task Until_envoy_gateway_has_seen_the_change_the_old_backend_is_served()
    {
        await using var bare = await BareManagement.StartAsync();
        var manager = await bare.StartManagerAsync();
        var cache = manager.Services.GetRequiredService<ResourceCache>();
        await bare.AddTenantAsync(manager);
        await bare.SetAddressesAsync("10.7.0.1");
        await bare.Objects.CreateAsync(CarriedRoutes.Gateway(TenantNamespace));
        await bare.Objects.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
        await Eventually.HoldsAsync("the route is served", () => Task.FromResult(Listeners(cache).Count == 1));
        var before = Listeners(cache).Single();

        await bare.Objects.PatchAsync<Route>(TenantNamespace, "web", To("green"));
        var generated = await bare.Objects.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            r => ApiJson.ToJson(r.Spec!).ToJsonString().Contains("green", StringComparison.Ordinal),
            "leads to the other"
        );

        // Written after the HTTPRoute: what was to be removed would be by now.
        await bare.Objects.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => r.Status?.Resources?.Services?.ContainsKey("default/green") == true,
            "is reported"
        );
        await Eventually.HoldsAsync("both are served", () => Task.FromResult(Listeners(cache).Count == 2));
        Listeners(cache).Should().Contain(before);

        await bare.Objects.PatchStatusAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            new JsonObject
            {
                ["parents"] = new JsonArray(
                    new JsonObject
                    {
                        ["parentRef"] = new JsonObject { ["name"] = "default-my-gateway" },
                        ["controllerName"] = "gateway.envoyproxy.io/gatewayclass-controller",
                        ["conditions"] = new JsonArray(
                            new JsonObject
                            {
                                ["type"] = "Accepted",
                                ["status"] = "True",
                                ["reason"] = "Accepted",
                                ["message"] = "",
                                ["lastTransitionTime"] = "2026-01-01T00:00:00Z",
                                ["observedGeneration"] = generated.Metadata.Generation,
                            }
                        ),
                    }
                ),
            }
        );
        await Eventually.HoldsAsync("the new one alone is served", () => Task.FromResult(Listeners(cache) is [var only] && only != before));
    }

    private static IReadOnlyList<string> Listeners(ResourceCache cache) =>
        [.. cache.List(TenantNamespace, ResourceTypes.Listener).Select(r => r.Name)];

    private static string To(string backend)
    {
        var kubernetes = CarriedRoutes.Http(TenantNamespace, backend).Kubernetes();
        return ApiJson
            .ToJson(
                new
                {
                    spec = new
                    {
                        source = new
                        {
                            kubernetes = new
                            {
                                resource = new JsonObject { ["spec"] = kubernetes.Resource!["spec"]!.DeepClone() },
                                services = kubernetes.Services,
                            },
                        },
                    },
                }
            )
            .ToJsonString();
    }
}
