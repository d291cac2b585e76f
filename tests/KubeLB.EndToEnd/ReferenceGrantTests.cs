using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Cross-namespace references: when a ReferenceGrant is required, and what its creation and deletion change.</summary>
public sealed class ReferenceGrantTests
{
    private const string Frontend = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: frontend
        """;

    private static readonly string Route = Documents
        .Route.Replace("namespace: default", "namespace: frontend")
        .Replace("- name: my-gateway", "- name: my-gateway\n      namespace: default")
        .Replace("- name: api-backend", "- name: api-backend\n          namespace: default");

    private const string Grant = """
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata:
          name: frontend
          namespace: default
        spec:
          from:
            - group: gateway.networking.k8s.io
              kind: HTTPRoute
              namespace: frontend
          to:
            - group: ""
              kind: Service
        """;

    [Fact]
    public async Task Cross_namespace_backend_without_enforcement_needs_no_ReferenceGrant()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await ApplyAsync(fixture);

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Cross_namespace_backend_with_enforcement_is_served_only_while_granted()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        await ApplyAsync(fixture);

        var rejected = await WaitForRejectionAsync(fixture);
        rejected.Message.Should().ContainAll("default/api-backend", "ReferenceGrant", "from HTTPRoute", "namespace frontend");
        (await fixture.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport")).Should().BeNull("no grant permits its use");

        await fixture.Tenant.ApplyAsync(Grant);
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.DeleteAsync<ReferenceGrant>("default", "frontend");
        await WaitForRejectionAsync(fixture);
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "frontend-api-route-api-backend");
    }

    [Fact]
    public async Task ReferenceGrant_of_another_namespace_causes_no_write()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        await ApplyAsync(fixture);
        await WaitForRejectionAsync(fixture);
        await fixture.SettleAsync();
        fixture.ForgetRequests();

        await fixture.Tenant.ApplyAsync(Grant.Replace("namespace: default", "namespace: kube-system"));
        await fixture.SettleAsync();

        fixture.Writes().Should().BeEmpty();
        await WaitForRejectionAsync(fixture);
    }

    [Fact]
    public async Task ReferenceGrant_CRD_installed_later_is_detected_without_a_restart()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        const string Crd = "referencegrants.gateway.networking.k8s.io";
        var crd = (await fixture.Tenant.GetAsync<V1CustomResourceDefinition>("", Crd))!;
        await fixture.Tenant.DeleteAsync<V1CustomResourceDefinition>("", Crd);
        await fixture.Tenant.WaitGoneAsync<V1CustomResourceDefinition>("", Crd);
        await fixture.RestartCcmAsync();
        await ApplyAsync(fixture);
        await WaitForRejectionAsync(fixture);

        await fixture.Tenant.CreateAsync(
            new V1CustomResourceDefinition
            {
                ApiVersion = crd.ApiVersion,
                Kind = crd.Kind,
                Metadata = new V1ObjectMeta { Name = Crd, Annotations = crd.Metadata.Annotations },
                Spec = crd.Spec,
            }
        );
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await fixture.Tenant.ApplyAsync(Grant);
                    return true;
                }
                catch (k8s.Autorest.HttpOperationException)
                {
                    return false;
                }
            },
            "ReferenceGrants are served"
        );

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
    }

    private static async Task ApplyAsync(SystemFixture fixture)
    {
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Frontend, Route })
        {
            await fixture.Tenant.ApplyAsync(manifest);
        }
    }

    private static async Task<Condition> WaitForRejectionAsync(SystemFixture fixture)
    {
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.Condition(r, "ResolvedRefs") is { Reason: "RefNotPermitted" },
            "is accepted without its backend"
        );
        return Statuses.Condition(route, "ResolvedRefs")!;
    }
}
