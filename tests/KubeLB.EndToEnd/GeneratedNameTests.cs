using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Conflicts of generated names are resolved: nothing is overwritten, and there is no write loop.</summary>
public sealed class GeneratedNameTests
{
    private const string Namespaces = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: a
        ---
        apiVersion: v1
        kind: Namespace
        metadata:
          name: a-b
        """;

    [Fact]
    [Trait("Threat", "taken-name")]
    public async Task Routes_with_one_generated_name_are_both_served_without_write_loop()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Namespaces);
        await fixture.Tenant.ApplyAsync(Route("a", "b-c", "first.example.com"));
        await fixture.Tenant.ApplyAsync(Route("a-b", "c", "second.example.com"));

        await fixture.ExpectBackendAsync("first.example.com");
        await fixture.ExpectBackendAsync("second.example.com");
        (await fixture.Management.ListAsync<HttpRoute>("tenant-t1"))
            .Select(r => r.Name)
            .Where(n => n.StartsWith("a-b-c", StringComparison.Ordinal))
            .Should()
            .HaveCount(2)
            .And.Contain("a-b-c");

        await fixture.SettleAsync();
        fixture.ForgetRequests();
        await fixture.Tenant.PatchAsync<HttpRoute>("a", "b-c", """{"metadata":{"labels":{"app.kubernetes.io/version":"2"}}}""");
        await fixture.SettleAsync();
        fixture.Writes().Where(w => w.Resource == "httproutes").Should().ContainSingle("only the touched route is written again");
    }

    [Fact]
    public async Task Gateways_of_one_name_in_two_namespaces_get_separate_addresses()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Namespaces);
        foreach (var ns in new[] { "a", "a-b" })
        {
            await fixture.Tenant.ApplyAsync(Documents.Gateway.Replace("namespace: default", $"namespace: {ns}"));
        }

        var first = await fixture.Tenant.WaitAsync<Gateway>("a", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var second = await fixture.Tenant.WaitAsync<Gateway>("a-b", "my-gateway", Statuses.IsProgrammed, "is programmed");
        first.Status!.Addresses![0].Value.Should().NotBe(second.Status!.Addresses![0].Value);
    }

    [Fact]
    public async Task Recreated_route_is_served()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var before = await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route");

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api.example.com", "recreated.example.com"));

        await fixture.ExpectBackendAsync("recreated.example.com");
        var after = await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        after.Metadata.Uid.Should().NotBe(before!.Metadata.Uid);
        (await fixture.Management.ListAsync<Api.V1Alpha1.Route>("tenant-t1")).Should().HaveCount(2);
    }

    private static string Route(string @namespace, string name, string host) =>
        $"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata:
              name: {name}
              namespace: {@namespace}
            spec:
              parentRefs:
                - name: my-gateway
                  namespace: default
              hostnames:
                - {host}
              rules:
                - backendRefs:
                    - name: api-backend
                      namespace: default
                      port: 8080
            """;
}
