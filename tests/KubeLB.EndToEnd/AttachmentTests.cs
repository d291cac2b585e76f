using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>
/// Routes attach only to listeners that allow them, also across namespaces, and are cleaned up in every namespace.
/// </summary>
public sealed class AttachmentTests
{
    private const string Namespaces = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: frontend
        ---
        apiVersion: v1
        kind: Namespace
        metadata:
          name: backend
        """;

    /// <summary>One listener for routes of all namespaces, one for routes of the Gateway's namespace.</summary>
    private const string TwoListeners = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: my-gateway
          namespace: default
        spec:
          gatewayClassName: kubelb
          listeners:
            - name: open
              protocol: HTTP
              port: 80
              allowedRoutes:
                namespaces:
                  from: All
            - name: own
              protocol: HTTP
              port: 8080
              allowedRoutes:
                namespaces:
                  from: Same
        """;

    [Fact]
    public async Task Cross_namespace_route_is_served_and_its_node_port_Service_is_removed()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Namespaces);
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Backend.Replace("namespace: default", "namespace: backend"));
        await fixture.Tenant.ApplyAsync(Documents.Deployment.Replace("namespace: default", "namespace: backend"));
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await fixture.InventoryAsync();

        await fixture.Tenant.ApplyAsync(CrossNamespaceRoute);
        (await fixture.ExpectBackendAsync("cross.example.com")).Namespace.Should().Be("backend");
        (await fixture.Tenant.GetAsync<V1Service>("backend", "api-backend-nodeport"))
            .Should()
            .NotBeNull("the node-port Service is in the namespace of its Service");

        await fixture.Tenant.DeleteAsync<HttpRoute>("frontend", "cross-ns-route");
        await fixture.Tenant.WaitGoneAsync<HttpRoute>("frontend", "cross-ns-route");
        await fixture.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Generated_route_refers_only_to_listeners_that_allow_its_source()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Namespaces);
        await fixture.Tenant.ApplyAsync(TwoListeners);
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        await fixture.Tenant.ApplyAsync(CrossNamespaceRoute.Replace("namespace: backend", "namespace: default"));

        await fixture.ExpectBackendAsync("cross.example.com");
        var generated = (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "frontend-cross-ns-route"))!;
        generated.ParentRefs.Should().ContainSingle().Which.SectionName.Should().Be("open");

        // The generated Gateway allows all routes of the tenant's namespace: only sectionName excludes the other listener.
        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Listeners?.Any(l => l.AttachedRoutes == 1) == true,
            "counts the route"
        );
        gateway
            .Status!.Listeners!.ToDictionary(l => l.Name, l => l.AttachedRoutes)
            .Should()
            .Equal(new Dictionary<string, int> { ["open"] = 1, ["own"] = 0 });
    }

    [Fact]
    public async Task Route_to_a_disallowed_listener_is_rejected_and_not_generated()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Namespaces);
        await fixture.Tenant.ApplyAsync(TwoListeners);
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(
            CrossNamespaceRoute
                .Replace("namespace: backend", "namespace: default")
                .Replace("- name: my-gateway", "- name: my-gateway\n      sectionName: own")
        );

        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "cross-ns-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );

        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NotAllowedByListeners");
        await fixture.Management.WaitAsync<HttpRoute>("tenant-t1", "frontend-cross-ns-route", r => r.ParentRefs.Count == 0, "is parked");
        (await fixture.Management.ListAsync<V1Service>("tenant-t1"))
            .Should()
            .NotContain(s => s.Metadata.Name.StartsWith("default-cross", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Route_to_a_renamed_listener_is_rejected_until_the_name_is_restored()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"parentRefs":[{"name":"my-gateway","sectionName":"http"}]}}"""
        );
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", Listener("web"));
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NoMatchingParent");
        await fixture.Management.WaitAsync<HttpRoute>("tenant-t1", "default-api-route", r => r.ParentRefs.Count == 0, "is parked");
        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");

        await fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", Listener("http"));
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private const string CrossNamespaceRoute = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata:
          name: cross-ns-route
          namespace: frontend
        spec:
          parentRefs:
            - name: my-gateway
              namespace: default
          hostnames:
            - cross.example.com
          rules:
            - backendRefs:
                - name: api-backend
                  namespace: backend
                  port: 8080
        """;

    private static string Listener(string name) =>
        """{"spec":{"listeners":[{"name":"NAME","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}}]}}""".Replace(
            "NAME",
            name
        );
}
