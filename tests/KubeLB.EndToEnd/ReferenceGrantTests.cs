using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>References into other namespaces: who has to permit them, and what happens when the permission comes and goes.</summary>
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
    public async Task Without_the_flag_a_backend_of_another_namespace_needs_no_grant()
    {
        await using var bed = await SystemFixture.StartAsync();
        await ApplyAsync(bed);

        await bed.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task With_the_flag_the_backend_is_served_while_a_grant_permits_it_and_only_then()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        await ApplyAsync(bed);

        var refused = await WaitForRefusalAsync(bed);
        refused.Message.Should().ContainAll("default/api-backend", "ReferenceGrant", "from HTTPRoute", "namespace frontend");
        (await bed.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport")).Should().BeNull("nobody may use it");

        await bed.Tenant.ApplyAsync(Grant);
        await bed.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Tenant.DeleteAsync<ReferenceGrant>("default", "frontend");
        await WaitForRefusalAsync(bed);
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await bed.Management.WaitGoneAsync<V1Service>("tenant-t1", "frontend-api-route-api-backend");
    }

    [Fact]
    public async Task A_grant_of_another_namespace_makes_no_work()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        await ApplyAsync(bed);
        await WaitForRefusalAsync(bed);
        await bed.SettleAsync();
        bed.ForgetRequests();

        await bed.Tenant.ApplyAsync(Grant.Replace("namespace: default", "namespace: kube-system"));
        await bed.SettleAsync();

        bed.Writes().Should().BeEmpty();
        await WaitForRefusalAsync(bed);
    }

    [Fact]
    public async Task Where_the_kind_is_not_installed_nothing_waits_for_it_and_its_installation_is_noticed()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnforceReferenceGrants = true },
            }
        );
        const string Crd = "referencegrants.gateway.networking.k8s.io";
        var crd = (await bed.Tenant.GetAsync<V1CustomResourceDefinition>("", Crd))!;
        await bed.Tenant.DeleteAsync<V1CustomResourceDefinition>("", Crd);
        await bed.Tenant.WaitGoneAsync<V1CustomResourceDefinition>("", Crd);
        await bed.RestartCcmAsync();
        await ApplyAsync(bed);
        await WaitForRefusalAsync(bed);

        await bed.Tenant.CreateAsync(
            new V1CustomResourceDefinition
            {
                ApiVersion = crd.ApiVersion,
                Kind = crd.Kind,
                Metadata = new V1ObjectMeta { Name = Crd, Annotations = crd.Metadata.Annotations },
                Spec = crd.Spec,
            }
        );
        await Eventually.HoldsAsync(
            "ReferenceGrants are served",
            async () =>
            {
                try
                {
                    await bed.Tenant.ApplyAsync(Grant);
                    return true;
                }
                catch (k8s.Autorest.HttpOperationException)
                {
                    return false;
                }
            }
        );

        await bed.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
    }

    private static async Task ApplyAsync(SystemFixture bed)
    {
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Frontend, Route })
        {
            await bed.Tenant.ApplyAsync(manifest);
        }
    }

    private static async Task<Condition> WaitForRefusalAsync(SystemFixture bed)
    {
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "frontend",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.Condition(r, "ResolvedRefs") is { Reason: "RefNotPermitted" },
            "is accepted without its backend"
        );
        return Statuses.Condition(route, "ResolvedRefs")!;
    }
}
