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
/// A route whose backend is replaced, as in a blue-green deployment, loses no request.
/// </summary>
public sealed class BackendSwitchTests(ITestOutputHelper output)
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    [Trait("Threat", "backend-switches")]
    public async Task Removal_of_a_former_backend_fails_no_request(ProxyKind proxies)
    {
        await using var fixture = await SystemFixture.StartAsync(proxies: proxies);
        await fixture.ApplyBasicExampleAsync();
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.Tenant.ApplyAsync(
            Documents
                .Backend.Replace("api-backend", "green", StringComparison.Ordinal)
                .Replace("app: api", "app: green", StringComparison.Ordinal)
        );
        await fixture.Tenant.ApplyAsync(
            Documents
                .Deployment.Replace("name: api", "name: green", StringComparison.Ordinal)
                .Replace("app: api", "app: green", StringComparison.Ordinal)
        );
        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"green","port":8080}]}]}}"""
        );
        await Eventually.HoldsAsync(
            async () => (await fixture.ExpectBackendAsync("api.example.com")).Pod.StartsWith("green-", StringComparison.Ordinal),
            "green answers"
        );
        var address = await fixture.AddressAsync();
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

        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await stop.CancelAsync();
        await asking;

        answers.Keys.Should().Equal(HttpStatusCode.OK);
    }

    [Fact]
    [Trait("Threat", "backend-switches")]
    public async Task Fifty_backend_switches_under_load_fail_no_request()
    {
        const int Switches = 50;
        await using var fixture = await StartWithEnvoysAsync();
        await using var load = await GatewayLoad.StartAsync(fixture, perSecond: 200);

        for (var i = 0; i < Switches; i++)
        {
            await SwitchBackendAsync(fixture, $"fresh-{i}");
            await GeneratedAsync(fixture, $"fresh-{i}");
        }

        var failures = await load.StopAsync();
        output.WriteLine($"{Switches} switches: {failures.Count} of {load.Sent} requests failed");

        ShouldBeOfLaggingGateway(failures, Switches, load.Sent);
    }

    [Fact]
    [Trait("Threat", "backend-switches")]
    public async Task Backend_switches_while_the_manager_is_stopped_fail_no_request()
    {
        const int Switches = 5;
        await using var fixture = await StartWithEnvoysAsync();
        await using var load = await GatewayLoad.StartAsync(fixture, perSecond: 200);

        for (var i = 0; i < Switches; i++)
        {
            await fixture.Sandbox.Manager.StopAsync();
            await SwitchBackendAsync(fixture, $"fresh-{i}");
            await fixture.Management.WaitAsync<Route>(
                TenantNamespace,
                (await fixture.Management.ListAsync<Route>(TenantNamespace))
                    .Single(r => r.Metadata.Labels["kubelb.k8c.io/origin-name"] == "api-route")
                    .Name,
                r => ApiJson.ToJson(r.Spec!).ToJsonString().Contains($"fresh-{i}-nodeport", StringComparison.Ordinal),
                "refers to the new backend"
            );
            await fixture.Sandbox.Manager.StartAsync();
            await GeneratedAsync(fixture, $"fresh-{i}");
        }

        var failures = await load.StopAsync();
        output.WriteLine($"{Switches} restarts of the manager with a switch each: {failures.Count} of {load.Sent} requests failed");

        ShouldBeOfLaggingGateway(failures, Switches, load.Sent);
    }

    // The stand-in for Envoy Gateway returns a few of these itself at a switch, while its watches of Services and EndpointSlices lag behind
    // that of routes. A tenant proxy must return none.
    private static void ShouldBeOfLaggingGateway(IReadOnlyList<(DateTime Time, string What)> failures, int switches, int sent)
    {
        failures
            .Where(f => f.What is not ("500  (of the gateway)" or "503 no healthy upstream (of the gateway)"))
            .Should()
            .BeEmpty("{0} requests were sent", sent);
        failures.Count.Should().BeLessThanOrEqualTo(2 * switches, "the watches lag for a few milliseconds");
    }

    private static async Task<SystemFixture> StartWithEnvoysAsync()
    {
        var fixture = await SystemFixture.StartAsync(proxies: ProxyKind.Envoy);
        await fixture.ConfigureProxiesAsync("""{"replicas":2}""");
        await fixture.ApplyBasicExampleAsync();
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.Management.WaitAsync<V1Deployment>(
            TenantNamespace,
            "envoy-tenant-t1",
            d => d.Status?.AvailableReplicas == 2,
            "is available"
        );
        return fixture;
    }

    // Switches to another Service in front of the same pods.
    private static async Task SwitchBackendAsync(SystemFixture fixture, string service)
    {
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", service, StringComparison.Ordinal));
        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            $$$"""{"spec":{"rules":[{"backendRefs":[{"name":"{{{service}}}","port":8080}]}]}}"""
        );
    }

    private static Task<HttpRoute> GeneratedAsync(SystemFixture fixture, string service) =>
        fixture.Management.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-api-route",
            r => r.Spec!.Rules!.Single().BackendRefs!.Single().Name == $"default-api-route-{service}",
            $"refers to {service}"
        );

    [Fact]
    [Trait("Threat", "backend-switches")]
    public async Task Old_backend_is_served_until_Envoy_Gateway_accepts_the_change()
    {
        await using var bare = await BareManagement.StartAsync();
        var manager = await bare.StartManagerAsync();
        var cache = manager.Services.GetRequiredService<ResourceCache>();
        await bare.AddTenantAsync(manager);
        await bare.SetAddressesAsync("10.7.0.1");
        await bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Eventually.HoldsAsync(() => Task.FromResult(Listeners(cache).Count == 1), "the route is served");
        var before = Listeners(cache).Single();

        await bare.Objects.PatchAsync<Route>(TenantNamespace, "web", To("green"));
        var generated = await bare.Objects.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            r => ApiJson.ToJson(r.Spec!).ToJsonString().Contains("green", StringComparison.Ordinal),
            "refers to the new backend"
        );

        // The status is written after the HTTPRoute: a removal would have happened by now.
        await bare.Objects.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => r.Status?.Resources?.Services?.ContainsKey("default/green") == true,
            "is reported"
        );
        await Eventually.HoldsAsync(() => Task.FromResult(Listeners(cache).Count == 2), "both are served");
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
        await Eventually.HoldsAsync(() => Task.FromResult(Listeners(cache) is [var only] && only != before), "the new one alone is served");
    }

    private static IReadOnlyList<string> Listeners(ResourceCache cache) =>
        [.. cache.List(TenantNamespace, ResourceTypes.Listener).Select(r => r.Name)];

    private static string To(string backend)
    {
        var kubernetes = CcmRoutes.Http(TenantNamespace, backend).Kubernetes();
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
