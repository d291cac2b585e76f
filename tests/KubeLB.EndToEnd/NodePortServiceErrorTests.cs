using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A Service without the node ports that a route needs is reported, and does not hold back other changes of the route.</summary>
public sealed class NodePortServiceErrorTests
{
    // With the applier's annotation, the node-port Service exceeds the limit of 262,144 bytes.
    private const int AnnotationSize = 262_100;

    [Fact]
    public async Task Port_without_node_port_that_no_route_uses_does_not_hold_a_served_route_back()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "lb").Replace("spec:", "spec:\n  type: LoadBalancer"));
        await PatchRouteAsync(fixture, "api.example.com", ("/lb", "lb", 8080), ("/", "api-backend", 8080));
        await fixture.ExpectBackendAsync("api.example.com", path: "/lb");

        await fixture.Tenant.PatchAsync<V1Service>("default", "lb", """{"spec":{"allocateLoadBalancerNodePorts":false}}""");
        var service = (await fixture.Tenant.GetAsync<V1Service>("default", "lb"))!;
        await fixture.Tenant.PatchAsync<V1Service>(
            "default",
            "lb",
            $$$"""
            {"spec":{"ports":[
              {"name":"web","port":8080,"targetPort":8080,"nodePort":{{{service.Spec.Ports[0].NodePort}}}},
              {"name":"adm","port":9090,"targetPort":8080}]}}
            """
        );
        await PatchRouteAsync(fixture, "new.example.com", ("/lb", "lb", 8080), ("/", "api-backend", 8080));

        await ResolvedAsync(fixture);
        await fixture.ExpectBackendAsync("new.example.com", path: "/lb");
        (await fixture.Tenant.GetAsync<V1Service>("default", "lb-nodeport")).Should().BeNull();

        await PatchRouteAsync(fixture, "new.example.com", ("/lb", "lb", 9090), ("/", "api-backend", 8080));

        await ResolvedAsync(fixture);
        (await fixture.Tenant.GetAsync<V1Service>("default", "lb-nodeport")).Should().NotBeNull("port 9090 has no node port");
        await fixture.ExpectBackendAsync("new.example.com", path: "/lb");
    }

    [Fact]
    public async Task Rejected_node_port_Service_is_reported_and_other_changes_of_the_route_are_applied()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "large"));
        await fixture.Tenant.PatchAsync<V1Service>("default", "large", Annotation(new string('x', AnnotationSize)));

        await PatchRouteAsync(fixture, "new.example.com", ("/large", "large", 8080), ("/", "api-backend", 8080));

        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r =>
                Statuses.IsAccepted(r)
                && Statuses.Condition(r, "ResolvedRefs") is { Status: "False" } resolved
                && resolved.ObservedGeneration == r.Metadata.Generation,
            "reports the rejection"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("NodePortServiceRejected");
        Statuses
            .Condition(route, "ResolvedRefs")!
            .Message.Should()
            .StartWith("Failed to process route rule 0 backendRef 0: the node-port Service of service default/large cannot be written")
            .And.Contain("annotations: Too long");
        await fixture.ExpectBackendAsync("new.example.com");
        await fixture.ExpectStatusAsync(await fixture.AddressAsync(), "api.example.com", 404);

        await fixture.Tenant.PatchAsync<V1Service>("default", "large", Annotation(null));

        await ResolvedAsync(fixture);
        await fixture.ExpectBackendAsync("new.example.com", path: "/large");
    }

    private static string Annotation(string? value) =>
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["example.com/large"] = value } },
        }.ToJsonString();

    private static Task<HttpRoute> ResolvedAsync(SystemFixture fixture) =>
        fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );

    private static Task<HttpRoute> PatchRouteAsync(
        SystemFixture fixture,
        string hostname,
        params (string Path, string Service, int Port)[] rules
    )
    {
        var json = new JsonArray([
            .. rules.Select(rule =>
                (JsonNode)
                    new JsonObject
                    {
                        ["matches"] = new JsonArray(
                            new JsonObject
                            {
                                ["path"] = new JsonObject { ["type"] = "PathPrefix", ["value"] = rule.Path },
                            }
                        ),
                        ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = rule.Service, ["port"] = rule.Port }),
                    }
            ),
        ]);
        return fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            new JsonObject
            {
                ["spec"] = new JsonObject { ["hostnames"] = new JsonArray(hostname), ["rules"] = json },
            }.ToJsonString()
        );
    }
}
