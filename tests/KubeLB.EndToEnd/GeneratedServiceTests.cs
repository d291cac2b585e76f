using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Generated Services are reverted after edits and store the ports of the proxy.</summary>
public sealed class GeneratedServiceTests
{
    private const string Ns = "tenant-t1";
    private const string Name = "default-api-route-api-backend";

    [Theory]
    [InlineData("""{"spec":{"ports":[{"name":null,"port":8080,"protocol":"TCP","targetPort":22222}]}}""")]
    [InlineData("""{"spec":{"ports":[{"port":8080,"protocol":"TCP","targetPort":"http"}]}}""")]
    [InlineData("""{"spec":{"selector":{"app.kubernetes.io/name":"tenant-t2"}}}""")]
    [InlineData("""{"spec":{"selector":{"extra":"key"}}}""")]
    [InlineData("""{"spec":{"selector":null}}""")]
    [InlineData("""{"spec":{"externalIPs":["192.0.2.1"]}}""")]
    [InlineData("""{"spec":{"type":"NodePort"}}""")]
    [InlineData("""{"metadata":{"labels":{"kubelb.k8c.io/origin-name":"other"}}}""")]
    [InlineData("""{"metadata":{"labels":{"kubelb.k8c.io/managed-by":null}}}""")]
    [InlineData("""{"metadata":{"ownerReferences":null}}""")]
    public async Task Edited_generated_Service_is_reverted(string patch)
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.SettleAsync();
        var before = await fixture.Management.GetAsync<V1Service>(Ns, Name);

        await fixture.Management.PatchAsync<V1Service>(Ns, Name, patch);

        await fixture.Management.WaitAsync<V1Service>(Ns, Name, now => Same(before!, now), "is reverted");
        await fixture.SettleAsync();
        (await fixture.Management.ListAsync<V1Service>(Ns))
            .Where(s => s.Metadata.Name.StartsWith("default-api-route", StringComparison.Ordinal))
            .Should()
            .ContainSingle("no second Service is generated")
            .Which.Metadata.Uid.Should()
            .Be(before!.Metadata.Uid);
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Deleted_generated_Service_is_recreated_with_its_port()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var before = await fixture.Management.GetAsync<V1Service>(Ns, Name);

        await fixture.Management.DeleteAsync<V1Service>(Ns, Name);

        await fixture.Management.WaitAsync<V1Service>(
            Ns,
            Name,
            now => now.Metadata.Uid != before!.Metadata.Uid && Port(now) == Port(before),
            "is recreated"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "forged-status")]
    public async Task Proxy_ports_after_a_restart_come_from_Services_not_from_status()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.StopManagerAsync();

        // The port is stored in the Service; the status is rewritten from it.
        await fixture.Management.PatchAsync<V1Service>(
            Ns,
            Name,
            """{"spec":{"ports":[{"port":8080,"protocol":"TCP","targetPort":34567}]}}"""
        );
        var route = (await fixture.Management.ListAsync<Route>(Ns)).Single(r => r.Status?.Resources?.Services is { Count: > 0 });
        await fixture.Management.PatchStatusAsync<Route>(
            Ns,
            route.Name,
            new
            {
                resources = new
                {
                    services = new Dictionary<string, object>
                    {
                        ["default/api-backend"] = new { ports = new[] { new { port = 8080, targetPort = 11111 } } },
                    },
                },
            }
        );
        await fixture.StartManagerAsync();

        await fixture.Management.WaitAsync<Route>(
            Ns,
            route.Name,
            r => r.Status!.Resources!.Services!["default/api-backend"].Ports!.Single().TargetPort?.Value == "34567",
            "has the port of the Service"
        );
        Port((await fixture.Management.GetAsync<V1Service>(Ns, Name))!).Should().Be("34567");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "shared-port")]
    public async Task Port_conflict_of_two_generated_Services_is_resolved()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "second").Replace("api.example.com", "second.example.com"));
        await fixture.ExpectBackendAsync("second.example.com");
        await fixture.StopManagerAsync();
        var port = Port((await fixture.Management.GetAsync<V1Service>(Ns, Name))!);
        await fixture.Management.PatchAsync<V1Service>(
            Ns,
            "default-second-api-backend",
            """{"spec":{"ports":[{"port":8080,"protocol":"TCP","targetPort":PORT}]}}""".Replace("PORT", port)
        );

        await fixture.StartManagerAsync();

        await Eventually.HoldsAsync(
            async () =>
                (await fixture.Management.ListAsync<V1Service>(Ns))
                    .Where(s => s.Metadata.Name.StartsWith("default-", StringComparison.Ordinal))
                    .Select(Port)
                    .Distinct()
                    .Count() == 2,
            "the ports differ"
        );
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.ExpectBackendAsync("second.example.com");
    }

    [Fact]
    [Trait("Threat", "all-ports")]
    public async Task Route_without_a_free_port_reports_it_and_is_retried_until_one_is_free()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Manager = manager => manager with { ProxyPorts = (20000, 20000) },
            }
        );
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "second").Replace("api.example.com", "second.example.com"));
        var rejected = await RouteAsync(fixture, "second", r => Applied(r) is { Status: "False" });
        Applied(rejected)!.Message.Should().Contain("All ports 20000-20000").And.Contain("Delete routes");
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.DeleteAsync<Api.GatewayApi.HttpRoute>("default", "api-route");

        // Retried every 30 s.
        await RouteAsync(fixture, "second", r => Applied(r) is { Status: "True" }, TimeSpan.FromSeconds(300));
        await fixture.ExpectBackendAsync("second.example.com");
    }

    private static Api.Condition? Applied(Route route) => route.Status?.Resources?.Route?.Conditions?.SingleOrDefault();

    private static async Task<Route> RouteAsync(
        SystemFixture fixture,
        string origin,
        Func<Route, bool> condition,
        TimeSpan? deadline = null
    )
    {
        var routes = await Eventually.GetAsync(
            $"the Route of {origin} is as expected",
            () => fixture.Management.ListAsync<Route>(Ns),
            found => found.Any(r => r.Metadata.Labels["kubelb.k8c.io/origin-name"] == origin && condition(r)),
            deadline: deadline
        );
        return routes.Single(r => r.Metadata.Labels["kubelb.k8c.io/origin-name"] == origin);
    }

    private static string Port(V1Service service) => service.Spec.Ports.Single().TargetPort.Value;

    private static bool Same(V1Service before, V1Service now) =>
        now.Spec.Type == "ClusterIP"
        && Port(now) == Port(before)
        && now.Spec.Selector is { } selector
        && selector.Count == before.Spec.Selector.Count
        && selector.All(before.Spec.Selector.Contains)
        && now.Spec.ExternalIPs is not { Count: > 0 }
        && before.Metadata.Labels.All(now.Metadata.Labels.Contains)
        && now.Metadata.OwnerReferences?.SingleOrDefault()?.Uid == before.Metadata.OwnerReferences.Single().Uid;
}
