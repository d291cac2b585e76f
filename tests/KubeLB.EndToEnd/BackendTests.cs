using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Services behind a route change under it in every way they can; their twins follow, and leave others their part.</summary>
public sealed class BackendTests
{
    private const string Twin = "api-backend-nodeport";

    [Fact]
    public async Task What_others_write_on_a_twin_stays_and_is_not_fought_over()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.SettleAsync();

        bed.ForgetRequests();
        await bed.Tenant.PatchAsync<V1Service>(
            "default",
            Twin,
            """{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},"spec":{"sessionAffinity":"ClientIP"}}"""
        );
        await bed.SettleAsync();

        bed.Writes().Where(w => w.Resource == "services" && w.Name == Twin).Should().BeEmpty("none of it is ours");
        var twin = (await bed.Tenant.GetAsync<V1Service>("default", Twin))!;
        twin.Metadata.Labels.Should().Contain("team", "a");
        twin.Spec.SessionAffinity.Should().Be("ClientIP");
    }

    [Fact]
    public async Task What_others_write_over_our_part_of_a_twin_is_repaired_once()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.SettleAsync();

        bed.ForgetRequests();
        await bed.Tenant.PatchAsync<V1Service>("default", Twin, """{"spec":{"selector":{"app":"hijacked"}}}""");
        await bed.Tenant.WaitAsync<V1Service>("default", Twin, s => s.Spec.Selector["app"] == "api", "is repaired");
        await bed.SettleAsync();
        bed.Writes().Count(w => w.Resource == "services" && w.Name == Twin).Should().Be(1);

        await bed.Tenant.DeleteAsync<V1Service>("default", Twin);
        await bed.Tenant.WaitAsync<V1Service>("default", Twin, _ => true, "is there again");
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_service_that_changes_its_type_serves_by_its_own_ports_or_is_refused_or_gets_a_twin_again()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.PatchAsync<V1Service>("default", "api-backend", """{"spec":{"type":"NodePort"}}""");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", Twin);
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Tenant.PatchAsync<V1Service>(
            "default",
            "api-backend",
            """{"spec":{"type":"ExternalName","externalName":"elsewhere.example.com","clusterIP":null,"clusterIPs":null}}"""
        );
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "is told"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("UnsupportedValue");
        Statuses.Condition(route, "ResolvedRefs")!.Message.Should().Contain("ExternalName").And.Contain("use ClusterIP");

        await bed.Tenant.PatchAsync<V1Service>(
            "default",
            "api-backend",
            """{"spec":{"type":"ClusterIP","externalName":null,"selector":{"app":"api"},"ports":[{"port":8080,"targetPort":8080}]}}"""
        );
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsResolved, "resolves again");
        await bed.Tenant.WaitAsync<V1Service>("default", Twin, _ => true, "is there again");
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Ports_that_are_renamed_renumbered_added_and_removed_are_followed()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await PortsAsync(bed, """[{"name":"web","port":8080,"targetPort":8080}]""");
        await bed.Tenant.WaitAsync<V1Service>("default", Twin, s => s.Spec.Ports is [{ Name: "web" }], "has the new name");
        await bed.ExpectBackendAsync("api.example.com");

        var nodePort = (await bed.Tenant.GetAsync<V1Service>("default", Twin))!.Spec.Ports.Single().NodePort;
        await PortsAsync(bed, """[{"name":"web","port":8080,"targetPort":8080},{"name":"more","port":9090,"targetPort":8080}]""");
        var twin = await bed.Tenant.WaitAsync<V1Service>("default", Twin, s => s.Spec.Ports.Count == 2, "has both ports");
        twin.Spec.Ports.Single(p => p.Name == "web").NodePort.Should().Be(nodePort, "its clients know it");

        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":9090}]}]}}"""
        );
        await PortsAsync(bed, """[{"name":"more","port":9090,"targetPort":8080}]""");
        await bed.Tenant.WaitAsync<V1Service>("default", Twin, s => s.Spec.Ports is [{ Port: 9090 }], "has the other port only");
        await bed.ExpectBackendAsync("api.example.com");

        await PortsAsync(bed, """[{"name":"more","port":9191,"targetPort":8080}]""");
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "is told"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("PortNotFound");

        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":9191}]}]}}"""
        );
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "resolves again"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_service_that_is_created_anew_owns_the_twin(bool ccmRuns)
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        if (!ccmRuns)
        {
            await bed.StopCcmAsync();
        }

        await bed.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        await bed.Tenant.ApplyAsync(Documents.Backend);
        if (!ccmRuns)
        {
            await bed.StartCcmAsync();
        }

        var service = (await bed.Tenant.GetAsync<V1Service>("default", "api-backend"))!;
        var twin = await bed.Tenant.WaitAsync<V1Service>(
            "default",
            Twin,
            t => t.Metadata.OwnerReferences is [{ } owner] && owner.Uid == service.Metadata.Uid,
            "is owned by the new Service alone"
        );
        twin.Spec.Selector.Should().Contain("app", "api");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsResolved, "resolves");
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Mirrors_of_rules_and_of_backends_and_headless_services_with_long_names_get_twins_and_lose_them()
    {
        var longName = "a-headless-service-with-a-name-as-long-as-a-label-may-be-000000";
        longName.Should().HaveLength(63);
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "copies"));
        await bed.Tenant.ApplyAsync(
            Documents.Backend.Replace("api-backend", longName).Replace("selector:", "clusterIP: None\n  selector:")
        );
        var before = await bed.InventoryAsync();

        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "mirrored").Replace("api.example.com", "mirrored.example.com"));
        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "mirrored",
            Rules(
                new JsonObject
                {
                    ["filters"] = new JsonArray(Mirror("copies")),
                    ["backendRefs"] = new JsonArray(
                        new JsonObject
                        {
                            ["name"] = longName,
                            ["port"] = 8080,
                            ["filters"] = new JsonArray(Mirror("api-backend")),
                        }
                    ),
                }
            )
        );
        await bed.Tenant.WaitAsync<HttpRoute>("default", "mirrored", r => Statuses.IsAccepted(r), "is accepted");
        await bed.Tenant.WaitAsync<V1Service>("default", "copies-nodeport", _ => true, "is there");
        var twins = (await bed.Tenant.ListAsync<V1Service>("default")).Where(s => s.Spec.Type == "NodePort").Select(s => s.Name()).ToList();
        twins.Should().HaveCount(3).And.OnlyContain(n => n.Length <= 63);

        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "mirrored",
            Rules(new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = longName, ["port"] = 8080 }) })
        );
        await bed.ExpectBackendAsync("mirrored.example.com");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "copies-nodeport");
        (await bed.Tenant.GetAsync<V1Service>("default", Twin)).Should().NotBeNull("another route uses it");

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "mirrored");
        await bed.WaitForInventoryAsync(before);
    }

    private static Task<V1Service> PortsAsync(SystemFixture bed, string ports) =>
        bed.Tenant.PatchAsync<V1Service>("default", "api-backend", $$$"""{"spec":{"ports":{{{ports}}}}}""");

    private static JsonObject Mirror(string service) =>
        new()
        {
            ["type"] = "RequestMirror",
            ["requestMirror"] = new JsonObject
            {
                ["backendRef"] = new JsonObject { ["name"] = service, ["port"] = 8080 },
            },
        };

    private static string Rules(JsonObject rule) =>
        new JsonObject { ["spec"] = new JsonObject { ["rules"] = new JsonArray(rule) } }.ToJsonString();
}
