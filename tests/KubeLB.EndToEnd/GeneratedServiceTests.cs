using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Generated Services stay as they were generated, and remember the ports of the proxy.</summary>
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
    public async Task An_edit_by_hand_is_put_right_at_once(string patch)
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.SettleAsync();
        var before = await bed.Management.GetAsync<V1Service>(Ns, Name);

        await bed.Management.PatchAsync<V1Service>(Ns, Name, patch);

        await bed.Management.WaitAsync<V1Service>(Ns, Name, now => Same(before!, now), "is as it was");
        await bed.SettleAsync();
        (await bed.Management.ListAsync<V1Service>(Ns))
            .Where(s => s.Metadata.Name.StartsWith("default-api-route", StringComparison.Ordinal))
            .Should()
            .ContainSingle("no second one takes its place")
            .Which.Metadata.Uid.Should()
            .Be(before!.Metadata.Uid);
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_service_deleted_by_hand_is_there_again_with_its_port()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var before = await bed.Management.GetAsync<V1Service>(Ns, Name);

        await bed.Management.DeleteAsync<V1Service>(Ns, Name);

        await bed.Management.WaitAsync<V1Service>(
            Ns,
            Name,
            now => now.Metadata.Uid != before!.Metadata.Uid && Port(now) == Port(before),
            "is back"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Ports_survive_a_restart_and_do_not_come_from_status()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.StopManagerAsync();

        // What is remembered is the Service; whatever status says is rewritten.
        await bed.Management.PatchAsync<V1Service>(Ns, Name, """{"spec":{"ports":[{"port":8080,"protocol":"TCP","targetPort":34567}]}}""");
        var route = (await bed.Management.ListAsync<Route>(Ns)).Single(r => r.Status?.Resources?.Services is { Count: > 0 });
        await bed.Management.PatchStatusAsync<Route>(
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
        await bed.StartManagerAsync();

        await bed.Management.WaitAsync<Route>(
            Ns,
            route.Name,
            r => r.Status!.Resources!.Services!["default/api-backend"].Ports!.Single().TargetPort?.Value == "34567",
            "tells the truth"
        );
        Port((await bed.Management.GetAsync<V1Service>(Ns, Name))!).Should().Be("34567");
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Two_services_that_come_to_hold_one_port_are_parted_by_themselves()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "second").Replace("api.example.com", "second.example.com"));
        await bed.ExpectBackendAsync("second.example.com");
        await bed.StopManagerAsync();
        var port = Port((await bed.Management.GetAsync<V1Service>(Ns, Name))!);
        await bed.Management.PatchAsync<V1Service>(
            Ns,
            "default-second-api-backend",
            """{"spec":{"ports":[{"port":8080,"protocol":"TCP","targetPort":PORT}]}}""".Replace("PORT", port)
        );

        await bed.StartManagerAsync();

        await Eventually.HoldsAsync(
            "the ports differ",
            async () =>
                (await bed.Management.ListAsync<V1Service>(Ns))
                    .Where(s => s.Metadata.Name.StartsWith("default-", StringComparison.Ordinal))
                    .Select(Port)
                    .Distinct()
                    .Count() == 2
        );
        await bed.ExpectBackendAsync("api.example.com");
        await bed.ExpectBackendAsync("second.example.com");
    }

    [Fact]
    public async Task Route_without_a_free_port_reports_it_and_is_retried_until_one_is_free()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Manager = manager => manager with { ProxyPorts = (20000, 20000) },
            }
        );
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "second").Replace("api.example.com", "second.example.com"));
        var refused = await RouteAsync(bed, "second", r => Applied(r) is { Status: "False" });
        Applied(refused)!.Message.Should().Contain("All ports 20000-20000").And.Contain("Delete routes");
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Tenant.DeleteAsync<Api.GatewayApi.HttpRoute>("default", "api-route");

        // Every 30 s.
        await RouteAsync(bed, "second", r => Applied(r) is { Status: "True" }, TimeSpan.FromSeconds(300));
        await bed.ExpectBackendAsync("second.example.com");
    }

    private static Api.Condition? Applied(Route route) => route.Status?.Resources?.Route?.Conditions?.SingleOrDefault();

    private static async Task<Route> RouteAsync(SystemFixture bed, string origin, Func<Route, bool> condition, TimeSpan? deadline = null)
    {
        var routes = await Eventually.GetAsync(
            $"the Route of {origin} is as expected",
            () => bed.Management.ListAsync<Route>(Ns),
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
