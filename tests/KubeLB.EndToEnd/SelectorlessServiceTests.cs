using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// A Service without selector is served through its EndpointSlices, which are mirrored to its node-port Service.
/// </summary>
public sealed class SelectorlessServiceTests
{
    private const string ServiceName = "kubernetes.io/service-name";

    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata:
          name: api-backend
          namespace: default
        spec:
          ports:
            - name: web
              port: 8080
              targetPort: 8080
        """;

    [Fact]
    public async Task Selectorless_Service_is_served_by_mirrored_EndpointSlices_until_unused()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await StartAsync(fixture);
        var before = await MirrorsAsync(fixture);
        before.Should().BeEmpty("there is no node-port Service yet");

        await fixture.Tenant.ApplyAsync(Documents.Route);
        var pods = await PodsAsync(fixture, 2);
        await fixture.Tenant.ApplyAsync(Slice(pods[0]));
        (await fixture.ExpectBackendAsync("api.example.com")).Pod.Should().Be(pods[0].Name());
        var mirror = (await MirrorsAsync(fixture)).Should().ContainSingle().Which;
        mirror.Metadata.Labels["endpointslice.kubernetes.io/managed-by"].Should().Be("kubelb-ccm");
        mirror.Metadata.OwnerReferences.Should().ContainSingle().Which.Name.Should().Be("api-backend-nodeport");

        await fixture.Tenant.PatchAsync<V1EndpointSlice>(
            "default",
            "by-hand",
            $$"""{"endpoints":[{"addresses":["{{pods[1].Status.PodIP}}"]}]}"""
        );
        await Eventually.HoldsAsync(
            async () => (await MirrorsAsync(fixture)).Single().Endpoints.Single().Addresses.Single() == pods[1].Status.PodIP,
            "the mirror follows"
        );

        await fixture.Tenant.DeleteAsync<V1EndpointSlice>("default", mirror.Name());
        await fixture.Tenant.WaitAsync<V1EndpointSlice>(
            "default",
            mirror.Name(),
            m => m.Metadata.Uid != mirror.Metadata.Uid,
            "is recreated"
        );

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await Eventually.HoldsAsync(async () => (await MirrorsAsync(fixture)).Count == 0, "no mirror is left");
        (await fixture.Tenant.GetAsync<V1EndpointSlice>("default", "by-hand")).Should().NotBeNull("it is the tenant's");
    }

    [Fact]
    public async Task Service_that_gains_a_selector_loses_its_mirrored_EndpointSlices()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await StartAsync(fixture);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.Tenant.ApplyAsync(Slice((await PodsAsync(fixture, 2))[0]));
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.PatchAsync<V1Service>("default", "api-backend", """{"spec":{"selector":{"app":"api"}}}""");
        await fixture.Tenant.WaitAsync<V1Service>("default", "api-backend-nodeport", s => s.Spec.Selector?.Count > 0, "selects pods");
        await Eventually.HoldsAsync(
            async () => (await MirrorsAsync(fixture)).All(s => s.Metadata.Labels["endpointslice.kubernetes.io/managed-by"] != "kubelb-ccm"),
            "no mirror is left"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private static async Task StartAsync(SystemFixture fixture)
    {
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        await fixture.Tenant.ApplyAsync(Service);
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
    }

    private static async Task<List<V1Pod>> PodsAsync(SystemFixture fixture, int count)
    {
        var pods = await Eventually.GetAsync(
            $"{count} pods run",
            () => fixture.Tenant.ListAsync<V1Pod>("default"),
            pods => pods.Count(p => p.Status?.PodIP is not null) == count
        );
        return [.. pods.OrderBy(p => p.Name(), StringComparer.Ordinal)];
    }

    private static async Task<List<V1EndpointSlice>> MirrorsAsync(SystemFixture fixture) =>
        [
            .. (await fixture.Tenant.ListAsync<V1EndpointSlice>("default")).Where(s =>
                s.Metadata.Labels?.TryGetValue(ServiceName, out var name) == true && name == "api-backend-nodeport"
            ),
        ];

    private static string Slice(V1Pod pod) =>
        $"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: by-hand
              namespace: default
              labels:
                {ServiceName}: api-backend
            addressType: IPv4
            endpoints:
              - addresses: ["{pod.Status.PodIP}"]
                targetRef: {"{"}kind: Pod, namespace: default, name: {pod.Name()}{"}"}
            ports:
              - name: web
                port: 8080
                protocol: TCP
            """;
}
