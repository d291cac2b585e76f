using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>
/// A Service without selector serves through its EndpointSlices, which are mirrored to the twin for as long as there is one.
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
    public async Task Its_endpoints_answer_changes_are_followed_and_nothing_is_left()
    {
        await using var bed = await SystemFixture.StartAsync();
        await StartAsync(bed);
        var before = await MirrorsAsync(bed);
        before.Should().BeEmpty("there is no twin yet");

        await bed.Tenant.ApplyAsync(Documents.Route);
        var pods = await PodsAsync(bed, 2);
        await bed.Tenant.ApplyAsync(Slice(pods[0]));
        (await bed.ExpectBackendAsync("api.example.com")).Pod.Should().Be(pods[0].Name());
        var mirror = (await MirrorsAsync(bed)).Should().ContainSingle().Which;
        mirror.Metadata.Labels["endpointslice.kubernetes.io/managed-by"].Should().Be("kubelb-ccm");
        mirror.Metadata.OwnerReferences.Should().ContainSingle().Which.Name.Should().Be("api-backend-nodeport");

        await bed.Tenant.PatchAsync<V1EndpointSlice>(
            "default",
            "by-hand",
            $$"""{"endpoints":[{"addresses":["{{pods[1].Status.PodIP}}"]}]}"""
        );
        await Eventually.HoldsAsync(
            "the mirror follows",
            async () => (await MirrorsAsync(bed)).Single().Endpoints.Single().Addresses.Single() == pods[1].Status.PodIP
        );

        await bed.Tenant.DeleteAsync<V1EndpointSlice>("default", mirror.Name());
        await bed.Tenant.WaitAsync<V1EndpointSlice>("default", mirror.Name(), m => m.Metadata.Uid != mirror.Metadata.Uid, "is made again");

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await Eventually.HoldsAsync("no mirror is left", async () => (await MirrorsAsync(bed)).Count == 0);
        (await bed.Tenant.GetAsync<V1EndpointSlice>("default", "by-hand")).Should().NotBeNull("it is the tenant's");
    }

    [Fact]
    public async Task With_a_selector_it_needs_no_mirrors_any_more()
    {
        await using var bed = await SystemFixture.StartAsync();
        await StartAsync(bed);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await bed.Tenant.ApplyAsync(Slice((await PodsAsync(bed, 2))[0]));
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Tenant.PatchAsync<V1Service>("default", "api-backend", """{"spec":{"selector":{"app":"api"}}}""");
        await bed.Tenant.WaitAsync<V1Service>("default", "api-backend-nodeport", s => s.Spec.Selector?.Count > 0, "selects pods");
        await Eventually.HoldsAsync(
            "no mirror is left",
            async () => (await MirrorsAsync(bed)).All(s => s.Metadata.Labels["endpointslice.kubernetes.io/managed-by"] != "kubelb-ccm")
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    private static async Task StartAsync(SystemFixture bed)
    {
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(Documents.Deployment);
        await bed.Tenant.ApplyAsync(Service);
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
    }

    private static async Task<List<V1Pod>> PodsAsync(SystemFixture bed, int count)
    {
        var pods = await Eventually.GetAsync(
            $"{count} pods run",
            () => bed.Tenant.ListAsync<V1Pod>("default"),
            pods => pods.Count(p => p.Status?.PodIP is not null) == count
        );
        return [.. pods.OrderBy(p => p.Name(), StringComparer.Ordinal)];
    }

    private static async Task<List<V1EndpointSlice>> MirrorsAsync(SystemFixture bed) =>
        [
            .. (await bed.Tenant.ListAsync<V1EndpointSlice>("default")).Where(s =>
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
