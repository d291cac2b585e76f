using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Node-port Services follow changes of the Services behind a route and keep the fields of other controllers.</summary>
public sealed class BackendTests
{
    private const string NodePortServiceName = "api-backend-nodeport";

    [Fact]
    public async Task Fields_of_others_on_a_node_port_Service_are_kept()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.SettleAsync();

        fixture.ForgetRequests();
        await fixture.Tenant.PatchAsync<V1Service>(
            "default",
            NodePortServiceName,
            """{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},"spec":{"sessionAffinity":"ClientIP"}}"""
        );
        await fixture.SettleAsync();

        fixture
            .Writes()
            .Where(w => w.Resource == "services" && w.Name == NodePortServiceName)
            .Should()
            .BeEmpty("the CCM manages none of these fields");
        var nodePortService = (await fixture.Tenant.GetAsync<V1Service>("default", NodePortServiceName))!;
        nodePortService.Metadata.Labels.Should().Contain("team", "a");
        nodePortService.Spec.SessionAffinity.Should().Be("ClientIP");
    }

    [Fact]
    public async Task Edited_or_deleted_node_port_Service_is_reverted_with_one_write()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.SettleAsync();

        fixture.ForgetRequests();
        await fixture.Tenant.PatchAsync<V1Service>("default", NodePortServiceName, """{"spec":{"selector":{"app":"hijacked"}}}""");
        await fixture.Tenant.WaitAsync<V1Service>("default", NodePortServiceName, s => s.Spec.Selector["app"] == "api", "is reverted");
        await fixture.SettleAsync();
        fixture.Writes().Count(w => w.Resource == "services" && w.Name == NodePortServiceName).Should().Be(1);

        await fixture.Tenant.DeleteAsync<V1Service>("default", NodePortServiceName);
        await fixture.Tenant.WaitAsync<V1Service>("default", NodePortServiceName, _ => true, "is recreated");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Service_type_change_removes_rejects_or_recreates_the_node_port_Service()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.PatchAsync<V1Service>("default", "api-backend", """{"spec":{"type":"NodePort"}}""");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", NodePortServiceName);
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.PatchAsync<V1Service>(
            "default",
            "api-backend",
            """{"spec":{"type":"ExternalName","externalName":"elsewhere.example.com","clusterIP":null,"clusterIPs":null}}"""
        );
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "reports it"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("UnsupportedValue");
        Statuses.Condition(route, "ResolvedRefs")!.Message.Should().Contain("ExternalName").And.Contain("Use type ClusterIP");

        await fixture.Tenant.PatchAsync<V1Service>(
            "default",
            "api-backend",
            """{"spec":{"type":"ClusterIP","externalName":null,"selector":{"app":"api"},"ports":[{"port":8080,"targetPort":8080}]}}"""
        );
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsResolved, "resolves again");
        await fixture.Tenant.WaitAsync<V1Service>("default", NodePortServiceName, _ => true, "is recreated");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Changed_Service_ports_are_applied_to_the_node_port_Service()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await PortsAsync(fixture, """[{"name":"web","port":8080,"targetPort":8080}]""");
        await fixture.Tenant.WaitAsync<V1Service>(
            "default",
            NodePortServiceName,
            s => s.Spec.Ports is [{ Name: "web" }],
            "has the new name"
        );
        await fixture.ExpectBackendAsync("api.example.com");

        var nodePort = (await fixture.Tenant.GetAsync<V1Service>("default", NodePortServiceName))!.Spec.Ports.Single().NodePort;
        await PortsAsync(fixture, """[{"name":"web","port":8080,"targetPort":8080},{"name":"more","port":9090,"targetPort":8080}]""");
        var nodePortService = await fixture.Tenant.WaitAsync<V1Service>(
            "default",
            NodePortServiceName,
            s => s.Spec.Ports.Count == 2,
            "has both ports"
        );
        nodePortService.Spec.Ports.Single(p => p.Name == "web").NodePort.Should().Be(nodePort, "proxies use this node port");

        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":9090}]}]}}"""
        );
        await PortsAsync(fixture, """[{"name":"more","port":9090,"targetPort":8080}]""");
        await fixture.Tenant.WaitAsync<V1Service>(
            "default",
            NodePortServiceName,
            s => s.Spec.Ports is [{ Port: 9090 }],
            "has the other port only"
        );
        await fixture.ExpectBackendAsync("api.example.com");

        await PortsAsync(fixture, """[{"name":"more","port":9191,"targetPort":8080}]""");
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "reports it"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("PortNotFound");

        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":9191}]}]}}"""
        );
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "resolves again"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Recreated_Service_owns_its_node_port_Service(bool ccmRuns)
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        if (!ccmRuns)
        {
            await fixture.StopCcmAsync();
        }

        await fixture.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        if (!ccmRuns)
        {
            await fixture.StartCcmAsync();
        }

        var service = (await fixture.Tenant.GetAsync<V1Service>("default", "api-backend"))!;
        var nodePortService = await fixture.Tenant.WaitAsync<V1Service>(
            "default",
            NodePortServiceName,
            t => t.Metadata.OwnerReferences is [{ } owner] && owner.Uid == service.Metadata.Uid,
            "is owned by the new Service alone"
        );
        nodePortService.Spec.Selector.Should().Contain("app", "api");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsResolved, "resolves");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Node_port_Services_of_mirror_and_headless_backends_follow_their_routes()
    {
        var longName = "a-headless-service-with-a-name-as-long-as-a-label-may-be-000000";
        longName.Should().HaveLength(63);
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "copies"));
        await fixture.Tenant.ApplyAsync(
            Documents.Backend.Replace("api-backend", longName).Replace("selector:", "clusterIP: None\n  selector:")
        );
        var before = await fixture.InventoryAsync();

        await fixture.Tenant.ApplyAsync(
            Documents.Route.Replace("api-route", "mirrored").Replace("api.example.com", "mirrored.example.com")
        );
        await fixture.Tenant.PatchAsync<HttpRoute>(
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
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "mirrored", r => Statuses.IsAccepted(r), "is accepted");
        await fixture.Tenant.WaitAsync<V1Service>("default", "copies-nodeport", _ => true, "is there");
        var nodePortServices = (await fixture.Tenant.ListAsync<V1Service>("default"))
            .Where(s => s.Spec.Type == "NodePort")
            .Select(s => s.Name())
            .ToList();
        nodePortServices.Should().HaveCount(3).And.OnlyContain(n => n.Length <= 63);

        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "mirrored",
            Rules(new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = longName, ["port"] = 8080 }) })
        );
        await fixture.ExpectBackendAsync("mirrored.example.com");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "copies-nodeport");
        (await fixture.Tenant.GetAsync<V1Service>("default", NodePortServiceName)).Should().NotBeNull("another route uses it");

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "mirrored");
        await fixture.WaitForInventoryAsync(before);
    }

    private static Task<V1Service> PortsAsync(SystemFixture fixture, string ports) =>
        fixture.Tenant.PatchAsync<V1Service>("default", "api-backend", $$$"""{"spec":{"ports":{{{ports}}}}}""");

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
