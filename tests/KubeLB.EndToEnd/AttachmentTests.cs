using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>
/// Routes reach the listeners that let them in, across namespaces and only there, and leave nothing behind in any of them.
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

    /// <summary>One listener for everybody, one for routes of the Gateway's own namespace.</summary>
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
    public async Task A_route_to_a_service_of_another_namespace_serves_and_leaves_nothing_behind_there()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Namespaces);
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(Documents.Backend.Replace("namespace: default", "namespace: backend"));
        await bed.Tenant.ApplyAsync(Documents.Deployment.Replace("namespace: default", "namespace: backend"));
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await bed.InventoryAsync();

        await bed.Tenant.ApplyAsync(CrossNamespaceRoute);
        (await bed.ExpectBackendAsync("cross.example.com")).Namespace.Should().Be("backend");
        (await bed.Tenant.GetAsync<V1Service>("backend", "api-backend-nodeport")).Should().NotBeNull("the twin lives beside its Service");

        await bed.Tenant.DeleteAsync<HttpRoute>("frontend", "cross-ns-route");
        await bed.Tenant.WaitGoneAsync<HttpRoute>("frontend", "cross-ns-route");
        await bed.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task A_route_is_pinned_to_the_listeners_that_let_it_in()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Namespaces);
        await bed.Tenant.ApplyAsync(TwoListeners);
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Deployment);
        await bed.Tenant.ApplyAsync(CrossNamespaceRoute.Replace("namespace: backend", "namespace: default"));

        await bed.ExpectBackendAsync("cross.example.com");
        var generated = (await bed.Management.GetAsync<HttpRoute>("tenant-t1", "frontend-cross-ns-route"))!;
        generated.ParentRefs.Should().ContainSingle().Which.SectionName.Should().Be("open");

        // The generated Gateway admits all routes of the tenant's namespace: the pin alone keeps this one off the other listener.
        var gateway = await bed.Tenant.WaitAsync<Gateway>(
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
    public async Task A_route_that_asks_for_a_listener_that_does_not_let_it_in_is_refused_and_not_carried()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Namespaces);
        await bed.Tenant.ApplyAsync(TwoListeners);
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(
            CrossNamespaceRoute
                .Replace("namespace: backend", "namespace: default")
                .Replace("- name: my-gateway", "- name: my-gateway\n      sectionName: own")
        );

        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "cross-ns-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );

        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NotAllowedByListeners");
        (await bed.Management.ListAsync<HttpRoute>("tenant-t1")).Should().BeEmpty();
    }

    [Fact]
    public async Task A_listener_that_is_renamed_loses_the_routes_that_name_it_and_gets_them_back()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"parentRefs":[{"name":"my-gateway","sectionName":"http"}]}}"""
        );
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", Listener("web"));
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NoMatchingParent");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");

        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", Listener("http"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        await bed.ExpectBackendAsync("api.example.com");
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
