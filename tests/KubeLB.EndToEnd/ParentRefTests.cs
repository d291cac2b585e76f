using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Routes whose parentRefs cannot be generated as the tenant wrote them.</summary>
public sealed class ParentRefTests
{
    [Fact]
    public async Task Route_is_attached_to_39_of_40_listeners_by_two_generated_routes()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        var listeners = Enumerable
            .Range(0, 40)
            .Select(i =>
                $"  - {{name: l{i}, protocol: HTTP, port: 80, hostname: h{i}.example.org, "
                + $"allowedRoutes: {{namespaces: {{from: All}}{(i == 0 ? ", kinds: [{kind: GRPCRoute}]" : "")}}}}}"
            );
        await fixture.Tenant.ApplyAsync(Documents.Gateway.Split("  listeners:")[0] + "  listeners:\n" + string.Join('\n', listeners));
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("  hostnames:\n    - \"api.example.com\"\n", ""));

        await AcceptedAsync(fixture);
        await fixture.ExpectBackendAsync("h1.example.org");
        await fixture.ExpectBackendAsync("h39.example.org");
        (await GeneratedAsync(fixture)).Should().Equal(("default-api-route", 32), ("default-api-route-2", 7));

        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80}]}}"""
        );

        await fixture.ExpectBackendAsync("any.example.org");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route-2");
        (await GeneratedAsync(fixture)).Should().Equal(("default-api-route", 1));
        await AcceptedAsync(fixture);
    }

    [Fact]
    public async Task ParentRefs_by_port_of_which_one_is_limited_to_a_listener_are_all_accepted()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{"listeners":[
              {"name":"one","protocol":"HTTP","port":80,"hostname":"one.example.com"},
              {"name":"two","protocol":"HTTP","port":80,"hostname":"two.example.com"},
              {"name":"any","protocol":"HTTP","port":8082}]}}
            """
        );

        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """
            {"spec":{"parentRefs":[{"name":"my-gateway","port":80},{"name":"my-gateway","port":8082}],"hostnames":["one.example.com"]}}
            """
        );

        var route = await AcceptedAsync(fixture, parents: 2);
        route.Status!.Parents.Select(p => p.ParentRef.Port).Should().Equal(80, 8082);
        await fixture.ExpectBackendAsync("one.example.com");
        var generated = (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!;
        generated.ParentRefs.Select(p => (p.SectionName, p.Port)).Should().Equal(("one", null), ("any", null));
    }

    private static Task<HttpRoute> AcceptedAsync(SystemFixture fixture, int parents = 1) =>
        fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r =>
                r.Status?.Parents.Count == parents
                && r.Status.Parents.TrueForAll(p =>
                    p.Conditions.Exists(c => c is { Type: "Accepted", IsTrue: true } && c.ObservedGeneration == r.Metadata.Generation)
                )
                && Statuses.IsResolved(r),
            "is accepted and resolved"
        );

    private static async Task<IEnumerable<(string, int)>> GeneratedAsync(SystemFixture fixture) =>
        (await fixture.Management.ListAsync<HttpRoute>("tenant-t1"))
            .OrderBy(r => r.Name, StringComparer.Ordinal)
            .Select(r => (r.Name, r.ParentRefs.Count));
}
