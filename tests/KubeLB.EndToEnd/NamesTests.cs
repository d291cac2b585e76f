using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Names that meet on the management side do not: nothing is overwritten, and nobody fights.</summary>
public sealed class NamesTests
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
    public async Task Two_routes_that_come_to_one_name_both_serve_and_come_to_rest()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Namespaces);
        await bed.Tenant.ApplyAsync(Route("a", "b-c", "first.example.com"));
        await bed.Tenant.ApplyAsync(Route("a-b", "c", "second.example.com"));

        await bed.ExpectBackendAsync("first.example.com");
        await bed.ExpectBackendAsync("second.example.com");
        (await bed.Management.ListAsync<HttpRoute>("tenant-t1"))
            .Select(r => r.Name)
            .Where(n => n.StartsWith("a-b-c", StringComparison.Ordinal))
            .Should()
            .HaveCount(2)
            .And.Contain("a-b-c");

        await bed.SettleAsync();
        bed.ForgetRequests();
        await bed.Tenant.PatchAsync<HttpRoute>("a", "b-c", """{"metadata":{"labels":{"touched":"yes"}}}""");
        await bed.SettleAsync();
        bed.Writes().Where(w => w.Resource == "httproutes").Should().ContainSingle("only the touched route is written again");
    }

    [Fact]
    public async Task Two_gateways_of_one_name_in_two_namespaces_have_an_address_each()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Namespaces);
        foreach (var ns in new[] { "a", "a-b" })
        {
            await bed.Tenant.ApplyAsync(Documents.Gateway.Replace("namespace: default", $"namespace: {ns}"));
        }

        var first = await bed.Tenant.WaitAsync<Gateway>("a", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var second = await bed.Tenant.WaitAsync<Gateway>("a-b", "my-gateway", Statuses.IsProgrammed, "is programmed");
        first.Status!.Addresses![0].Value.Should().NotBe(second.Status!.Addresses![0].Value);
    }

    [Fact]
    public async Task A_route_created_anew_under_its_name_is_served_anew()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var before = await bed.Tenant.GetAsync<HttpRoute>("default", "api-route");

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api.example.com", "anew.example.com"));

        await bed.ExpectBackendAsync("anew.example.com");
        var after = await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        after.Metadata.Uid.Should().NotBe(before!.Metadata.Uid);
        (await bed.Management.ListAsync<Api.V1Alpha1.Route>("tenant-t1")).Should().HaveCount(2);
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
