using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// An installation of the Go manager and CCM is adopted unchanged: names, ports and addresses are kept, and nothing is deleted.
/// The objects are those that the Go manager wrote for one Gateway, one HTTPRoute and one Service on real API servers.
/// </summary>
public sealed class AdoptionTests : IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const int Port = 53630;

    private SystemFixture _fixture = null!;
    private Route _ofGateway = null!;
    private Route _ofRoute = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.StopCcmAsync();
        await _fixture.StopManagerAsync();
        await CreateTenantAsync();
        await CreateManagementObjectsAsync();
        _fixture.ForgetRequests();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Go_installation_is_adopted_with_its_names_and_ports_and_without_deletions()
    {
        var before = await GeneratedAsync();

        await _fixture.StartManagerAsync();
        await _fixture.StartCcmAsync();

        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "web",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        var service = await _fixture.Management.WaitAsync<V1Service>(
            Namespace,
            "default-web-web",
            s => s.Metadata.OwnerReferences is { Count: > 0 },
            "has an owner"
        );
        service.Metadata.OwnerReferences.Should().ContainSingle().Which.Uid.Should().Be(_ofRoute.Metadata.Uid);
        service.Spec.Ports.Should().ContainSingle().Which.TargetPort.Value.Should().Be($"{Port}");
        await _fixture.ExpectBackendAsync("web.example.com");
        await _fixture.SettleAsync();

        (await GeneratedAsync()).Should().Equal(before, "the generated objects are unchanged");
        (await _fixture.Management.GetAsync<HttpRoute>(Namespace, "default-web"))!
            .Spec!.ParentRefs!.Should()
            .ContainSingle()
            .Which.Name.Should()
            .Be("my-gateway");
        (await _fixture.Management.GetAsync<Route>(Namespace, _ofRoute.Name))!.Metadata.Uid.Should().Be(_ofRoute.Metadata.Uid);
        _fixture.Writes().Where(r => r.Verb.StartsWith("delete", StringComparison.Ordinal)).Should().BeEmpty();
    }

    [Fact]
    public async Task Adopted_objects_are_removed_with_their_source_objects()
    {
        await _fixture.StartManagerAsync();
        await _fixture.StartCcmAsync();
        await _fixture.Tenant.WaitAsync<HttpRoute>("default", "web", Statuses.IsAccepted, "is accepted");

        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "web");
        await _fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await _fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "web");
        await _fixture.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");
        await Eventually.GetAsync(
            "nothing generated is left",
            GeneratedAsync,
            found => found.Count == 0,
            found => string.Join("; ", found)
        );
    }

    [Fact]
    public async Task Route_deleted_while_no_manager_runs_loses_its_generated_objects()
    {
        await _fixture.Management.DeleteAsync<Route>(Namespace, _ofRoute.Name);

        await _fixture.StartManagerAsync();

        await _fixture.Management.WaitGoneAsync<Route>(Namespace, _ofRoute.Name);
        await _fixture.Management.WaitGoneAsync<V1Service>(Namespace, "default-web-web");
        await _fixture.Management.WaitGoneAsync<HttpRoute>(Namespace, "default-web");
    }

    private async Task<IReadOnlyList<string>> GeneratedAsync() =>
        [
            .. (await _fixture.Management.ListAsync<Gateway>(Namespace)).Select(o => $"Gateway {o.Name} {o.Metadata.Uid}"),
            .. (await _fixture.Management.ListAsync<HttpRoute>(Namespace)).Select(o => $"HTTPRoute {o.Name} {o.Metadata.Uid}"),
            .. (await _fixture.Management.ListAsync<V1Service>(Namespace)).Select(o =>
                $"Service {o.Name()} {o.Metadata.Uid} {o.Spec.ClusterIP}"
            ),
        ];

    private async Task CreateTenantAsync()
    {
        await _fixture.Tenant.ApplyAsync(Documents.Gateway);
        await _fixture.Tenant.ApplyAsync(Documents.Backend.Replace("api-backend", "web", StringComparison.Ordinal));
        await _fixture.Tenant.ApplyAsync(Documents.Deployment);
        await _fixture.Tenant.ApplyAsync(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: web, namespace: default, labels: {team: a}, finalizers: [kubelb.k8c.io/cleanup]}
            spec:
              parentRefs: [{name: my-gateway}]
              hostnames: [web.example.com]
              rules: [{backendRefs: [{name: web, port: 8080}]}]
            """
        );
        var service = (await _fixture.Tenant.GetAsync<V1Service>("default", "web"))!;
        await _fixture.Tenant.ApplyAsync(
            $$$"""
            apiVersion: v1
            kind: Service
            metadata:
              name: web-nodeport
              namespace: default
              labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: web, kubelb.k8c.io/origin-ns: default}
              ownerReferences: [{apiVersion: v1, kind: Service, name: web, uid: {{{service.Metadata.Uid}}} }]
            spec: {type: NodePort, selector: {app: api}, ports: [{port: 8080, protocol: TCP, targetPort: 8080, nodePort: 31963}]}
            """
        );
    }

    private async Task CreateManagementObjectsAsync()
    {
        var gateway = (await _fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;
        var route = (await _fixture.Tenant.GetAsync<HttpRoute>("default", "web"))!.Metadata.Uid;
        _ofGateway = await CreateAsync(
            gateway,
            "Gateway",
            "my-gateway",
            "{gatewayClassName: kubelb, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}",
            ""
        );
        _ofRoute = await CreateAsync(
            route,
            "HTTPRoute",
            "web",
            "{hostnames: [web.example.com], parentRefs: [{name: my-gateway}], rules: [{backendRefs: [{name: web, port: 8080}]}]}",
            """
            services:
            - apiVersion: v1
              kind: Service
              metadata: {name: web-nodeport, namespace: default, labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: web,
                kubelb.k8c.io/origin-ns: default}}
              spec: {type: NodePort, selector: {app: api}, ports: [{port: 8080, protocol: TCP, targetPort: 8080, nodePort: 31963}]}
            """
        );

        // As the Go manager writes them: the Gateway with its original name, the Service without an owner reference.
        await _fixture.Management.ApplyAsync(
            $$$"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata:
              name: my-gateway
              namespace: {{{Namespace}}}
              labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: my-gateway, kubelb.k8c.io/origin-ns: default}
              ownerReferences: [{apiVersion: kubelb.k8c.io/v1alpha1, kind: Route, controller: true, name: {{{gateway}}},
                uid: {{{_ofGateway.Metadata.Uid}}} }]
            spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All} } }]}
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: default-web-web
              namespace: {{{Namespace}}}
              labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: web, kubelb.k8c.io/origin-ns: default}
            spec: {type: ClusterIP, selector: {app.kubernetes.io/name: {{{Namespace}}} }, ports: [{port: 8080, protocol: TCP,
              targetPort: {{{Port}}} }]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata:
              name: default-web
              namespace: {{{Namespace}}}
              labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: web, kubelb.k8c.io/origin-ns: default, team: a}
              ownerReferences: [{apiVersion: kubelb.k8c.io/v1alpha1, kind: Route, controller: true, name: {{{route}}},
                uid: {{{_ofRoute.Metadata.Uid}}} }]
            spec: {hostnames: [web.example.com], parentRefs: [{name: my-gateway}], rules: [{backendRefs: [{name: default-web-web,
              port: 8080}]}]}
            """
        );
    }

    private async Task<Route> CreateAsync(string uid, string kind, string name, string spec, string services)
    {
        var indented = services.Replace("\n", "\n      ", StringComparison.Ordinal);
        await _fixture.Management.ApplyAsync(
            $$$"""
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Route
            metadata:
              name: {{{uid}}}
              namespace: {{{Namespace}}}
              finalizers: [kubelb.k8c.io/cleanup]
              labels: {kubelb.k8c.io/managed-by: kubelb, kubelb.k8c.io/origin-name: {{{name}}}, kubelb.k8c.io/origin-ns: default,
                kubelb.k8c.io/origin-resource-kind: {{{kind}}}.gateway.networking.k8s.io}
            spec:
              endpoints: [{name: default, addressesReference: {name: default}}]
              source:
                kubernetes:
                  resource: {apiVersion: gateway.networking.k8s.io/v1, kind: {{{kind}}}, metadata: {name: {{{name}}}, namespace: default,
                    uid: {{{uid}}}, labels: {team: a}}, spec: {{{spec}}} }
            """ + (services.Length > 0 ? "\n      " + indented : "")
        );
        var generatedServices = new Dictionary<string, GeneratedService>
        {
            ["default/web"] = new()
            {
                GeneratedName = "default-web-web",
                Name = "web",
                Namespace = "default",
                Ports =
                [
                    new RouteServicePort
                    {
                        Port = 8080,
                        Protocol = "TCP",
                        TargetPort = Port,
                    },
                ],
            },
        };
        return await _fixture.Management.PatchStatusAsync<Route>(
            Namespace,
            uid,
            new RouteStatus
            {
                Resources = new RouteResources
                {
                    Route = new GeneratedObject
                    {
                        ApiVersion = GatewayApiVersion.ApiVersion,
                        Kind = kind,
                        Name = name,
                        Namespace = "default",
                        GeneratedName = kind == Gateway.KindName ? name : $"default-{name}",
                    },
                    Services = kind == Gateway.KindName ? null : generatedServices,
                },
            }
        );
    }
}
