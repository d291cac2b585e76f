using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd;

/// <summary>
/// A Tenant that the Go manager (1.4) set up is adopted with its token and its kubeconfig. Names, types, keys, labels and annotations
/// are as recorded: only the namespace has a label of KubeLB, and the token Secret lacks the annotation with the account's
/// UID.
/// </summary>
public sealed class GoTenantTests : IAsyncLifetime
{
    private const string Ns = "tenant-t1";
    private BareManagement _management = null!;

    public async ValueTask InitializeAsync()
    {
        _management = await BareManagement.StartAsync();
        if (!_management.Cluster.Features.HasFlag(ClusterFeatures.Controllers))
        {
            await _management.DisposeAsync();
            Assert.SkipWhen(true, ClusterFeatureReasons.NoControllers);
        }
    }

    public async ValueTask DisposeAsync() => await _management.DisposeAsync();

    [Fact]
    public async Task Tenant_of_the_Go_manager_becomes_Ready_and_keeps_its_token_and_kubeconfig()
    {
        await CreateTenantAsync();
        await CreateTokenAsync(data: null);
        var token = await _management.Objects.WaitAsync<V1Secret>(Ns, "kubelb-ccm", s => s.Data?.ContainsKey("token") == true, "is filled");
        await _management.Objects.PatchAsync<V1Secret>(
            Ns,
            "kubelb-ccm",
            """{"metadata":{"annotations":{"kubernetes.io/service-account.uid":null}}}"""
        );
        var kubeconfig = await CreateKubeconfigAsync(token);

        await _management.StartManagerAsync();

        await _management.Objects.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        (await _management.Objects.GetAsync<V1Secret>(Ns, "kubelb-ccm"))!.Data["token"].Should().Equal(token.Data["token"]);
        var kept = (await _management.Objects.GetAsync<V1Secret>(Ns, "kubelb-ccm-kubeconfig"))!;
        Encoding.UTF8.GetString(kept.Data["kubelb"]).Should().Be(kubeconfig);
        (await StatusWithAsync(token.Data["token"])).Should().Be(HttpStatusCode.OK, "the Go CCM still uses it");
    }

    [Fact]
    public async Task Token_of_a_recreated_ServiceAccount_is_renewed()
    {
        await CreateTenantAsync();
        var claims = Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes("""{"kubernetes.io/serviceaccount/service-account.uid":"89485eca-0282-4607-ad4c-f9e9ca245dda"}""")
        );
        var stale = Encoding.UTF8.GetBytes($"e30.{claims}.c2ln");
        await CreateTokenAsync(
            new Dictionary<string, byte[]>
            {
                ["ca.crt"] = [1],
                ["namespace"] = Encoding.UTF8.GetBytes(Ns),
                ["token"] = stale,
            }
        );

        await _management.StartManagerAsync();

        await _management.Objects.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        var token = (await _management.Objects.GetAsync<V1Secret>(Ns, "kubelb-ccm"))!;
        token.Data["token"].Should().NotEqual(stale);
        (await StatusWithAsync(token.Data["token"])).Should().Be(HttpStatusCode.OK);
    }

    private async Task CreateTenantAsync()
    {
        await _management.Objects.ApplyAsync(
            "apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: t1\n  finalizers: [kubelb.k8c.io/cleanup]\nspec: {}\n"
        );
        var tenant = (await _management.Objects.GetAsync<Tenant>("", "t1"))!;
        await _management.Objects.ApplyAsync(
            $$$"""
            apiVersion: v1
            kind: Namespace
            metadata:
              name: {{{Ns}}}
              labels: {kubelb.k8c.io/managed-by: kubelb}
              ownerReferences: [{apiVersion: kubelb.k8c.io/v1alpha1, kind: Tenant, name: t1, uid: {{{tenant.Metadata.Uid}}} }]
            """
        );
        await _management.Objects.CreateAsync(new V1ServiceAccount { Metadata = Named("kubelb-ccm") });
        await _management.Objects.CreateAsync(
            new V1Role
            {
                Metadata = Named("kubelb-ccm"),
                Rules =
                [
                    new V1PolicyRule
                    {
                        ApiGroups = ["kubelb.k8c.io"],
                        Resources = ["loadbalancers", "routes", "addresses", "syncsecrets"],
                        Verbs = ["create", "update", "get", "list", "delete", "patch", "watch"],
                    },
                ],
            }
        );
        await _management.Objects.CreateAsync(
            new V1RoleBinding
            {
                Metadata = Named("kubelb-ccm"),
                RoleRef = new V1RoleRef
                {
                    ApiGroup = "rbac.authorization.k8s.io",
                    Kind = "Role",
                    Name = "kubelb-ccm",
                },
                Subjects =
                [
                    new Rbacv1Subject
                    {
                        Kind = "ServiceAccount",
                        Name = "kubelb-ccm",
                        NamespaceProperty = Ns,
                    },
                ],
            }
        );
    }

    private Task<V1Secret> CreateTokenAsync(Dictionary<string, byte[]>? data)
    {
        var secret = new V1Secret
        {
            Metadata = Named("kubelb-ccm"),
            Type = "kubernetes.io/service-account-token",
            Data = data,
        };
        secret.Metadata.Annotations = new Dictionary<string, string> { ["kubernetes.io/service-account.name"] = "kubelb-ccm" };
        secret.Metadata.Labels = new Dictionary<string, string> { ["kubernetes.io/legacy-token-last-used"] = "2026-11-23" };
        return _management.Objects.CreateAsync(secret);
    }

    // Not in the format of this manager.
    private async Task<string> CreateKubeconfigAsync(V1Secret token)
    {
        var kubeconfig = $$"""
            apiVersion: v1
            clusters:
            - cluster:
                certificate-authority-data: {{Convert.ToBase64String(token.Data["ca.crt"])}}
                server: https://127.0.0.1:6443
              name: management
            contexts:
            - context: {cluster: management, user: tenant}
              name: default
            current-context: default
            kind: Config
            preferences: {}
            users:
            - name: tenant
              user: {token: {{Encoding.UTF8.GetString(token.Data["token"])}} }

            """;
        var secret = new V1Secret
        {
            Metadata = Named("kubelb-ccm-kubeconfig"),
            Type = "Opaque",
            Data = new Dictionary<string, byte[]> { ["kubelb"] = Encoding.UTF8.GetBytes(kubeconfig) },
        };
        await _management.Objects.CreateAsync(secret);
        return kubeconfig;
    }

    private async Task<HttpStatusCode> StatusWithAsync(byte[] token)
    {
        using var http = new HttpClient(_management.Cluster.CreateHandler()) { BaseAddress = _management.Cluster.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Encoding.UTF8.GetString(token));
        using var response = await http.GetAsync($"/apis/kubelb.k8c.io/v1alpha1/namespaces/{Ns}/routes");
        return response.StatusCode;
    }

    private static V1ObjectMeta Named(string name) => new() { Name = name, NamespaceProperty = Ns };
}
