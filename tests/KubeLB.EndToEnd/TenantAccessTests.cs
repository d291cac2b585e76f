using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>What a tenant may do in the management cluster with its kubeconfig.</summary>
public sealed class TenantAccessTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync(tenants: 2);
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Tenant_kubeconfig_grants_what_the_CCM_needs()
    {
        await using var tenant = await TenantAsync();

        (await tenant.ListAsync<Route>("tenant-t1")).Should().HaveCount(2).And.OnlyContain(r => r.Status != null, "statuses may be read");
        (await tenant.ListAsync<Addresses>("tenant-t1")).Should().ContainSingle();
        (await tenant.ListAsync<SyncSecret>("tenant-t1")).Should().BeEmpty();
        (await tenant.GetAsync<TenantState>("tenant-t1", "default"))!.Status!.Version!.GitVersion.Should().StartWith("v");
        await tenant.CreateAsync(
            new Route
            {
                Metadata = { Name = "mine", NamespaceProperty = "tenant-t1" },
                Spec = new RouteSpec { Endpoints = [new RouteEndpoint { Name = "default" }] },
            }
        );
        await tenant.PatchAsync<Route>("tenant-t1", "mine", """{"metadata":{"labels":{"a":"b"}}}""");
        (await tenant.DeleteAsync<Route>("tenant-t1", "mine")).Should().BeTrue();
    }

    [Fact]
    [Trait("Threat", "other-tenants-objects")]
    [Trait("Threat", "xds-certificates")]
    public async Task Access_to_other_resources_is_forbidden()
    {
        await using var tenant = await TenantAsync();

        var attempts = new Dictionary<string, Func<Task>>
        {
            ["another tenant's Routes"] = () => tenant.ListAsync<Route>("tenant-t2"),
            ["all Routes"] = () => tenant.ListAsync<Route>(),
            ["a Route for another tenant"] = () =>
                tenant.CreateAsync(new Route { Metadata = { Name = "r", NamespaceProperty = "tenant-t2" }, Spec = new RouteSpec() }),
            ["TenantState"] = () => tenant.PatchAsync<TenantState>("tenant-t1", "default", """{"metadata":{"labels":{"a":"b"}}}"""),
            ["the status of TenantState"] = () => tenant.PatchStatusAsync<TenantState>("tenant-t1", "default", new TenantStateStatus()),
            ["its Secrets"] = () => tenant.ListAsync<V1Secret>("tenant-t1"),
            ["another tenant's Secrets"] = () => tenant.ListAsync<V1Secret>("tenant-t2"),
            ["a Secret"] = () =>
                tenant.CreateAsync(
                    new V1Secret
                    {
                        Metadata = new V1ObjectMeta { Name = "s", NamespaceProperty = "tenant-t1" },
                    }
                ),
            ["generated Gateways"] = () => tenant.ListAsync<Gateway>("tenant-t1"),
            ["a Gateway"] = () =>
                tenant.CreateAsync(
                    new Gateway
                    {
                        Metadata = { Name = "g", NamespaceProperty = "tenant-t1" },
                        Spec = new GatewaySpec { GatewayClassName = "eg" },
                    }
                ),
            ["generated Services"] = () => tenant.DeleteAsync<V1Service>("tenant-t1", "default-api-route-api-backend"),
            ["its Role"] = () => tenant.PatchAsync<V1Role>("tenant-t1", "kubelb-ccm", """{"rules":[]}"""),
            ["namespaces"] = () => tenant.ListAsync<V1Namespace>(),
            ["its namespace"] = () => tenant.DeleteAsync<V1Namespace>("", "tenant-t1"),
            ["Tenants"] = () => tenant.ListAsync<Tenant>(),
            ["its Tenant"] = () => tenant.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"class":"other"}}}"""),
            ["Config"] = () => tenant.GetAsync<Config>("kubelb", "default"),
            ["the manager's Leases"] = () => tenant.ListAsync<V1Lease>("kubelb"),
        };

        foreach (var (what, attempt) in attempts)
        {
            var rejection = (await attempt.Should().ThrowAsync<HttpOperationException>(what)).Which;
            rejection.Response.StatusCode.Should().Be(HttpStatusCode.Forbidden, what);
        }
    }

    [Fact]
    public async Task Tenant_kubeconfig_follows_the_API_server_URL()
    {
        var first = await KubeconfigAsync(k => k.Host == _fixture.Sandbox.Management.Url.GetLeftPart(UriPartial.Authority));
        first.Namespace.Should().Be("tenant-t1");
        first.SslCaCerts.Should().NotBeNullOrEmpty();

        await ConfigureAsync("\"https://lb.example.com:6443\"");
        var moved = await KubeconfigAsync(k => k.Host == "https://lb.example.com:6443");
        moved.AccessToken.Should().Be(first.AccessToken, "a change of the URL does not change the token");

        await _fixture.Management.CreateAsync(
            new V1ConfigMap
            {
                Metadata = new V1ObjectMeta { Name = "cluster-info", NamespaceProperty = "kube-public" },
                Data = new Dictionary<string, string>
                {
                    ["kubeconfig"] =
                        "apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n  cluster:\n    server: https://published.example.com:6443\n",
                },
            }
        );
        await ConfigureAsync("null");
        await KubeconfigAsync(k => k.Host == "https://published.example.com:6443");

        await _fixture.Management.DeleteAsync<V1ConfigMap>("kube-public", "cluster-info");
        await _fixture.Management.DeleteAsync<V1EndpointSlice>("default", "kubernetes");
        await _fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => TenantConditions.Says(t, TenantPhases.Failed, "spec.apiServerURL", "Config kubelb/default", "cluster-info"),
            "reports the missing setting"
        );

        await _fixture.Management.CreateAsync(
            new V1EndpointSlice
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "kubernetes",
                    NamespaceProperty = "default",
                    Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "kubernetes" },
                },
                AddressType = "IPv4",
                Endpoints = [new V1Endpoint { Addresses = ["192.0.2.7"] }],
                Ports =
                [
                    new Discoveryv1EndpointPort
                    {
                        Name = "https",
                        Port = 6443,
                        Protocol = "TCP",
                    },
                ],
            }
        );
        await KubeconfigAsync(k => k.Host == "https://192.0.2.7:6443");
        await _fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready again");
    }

    [Fact]
    [Trait("Threat", "deleted-tenant-token")]
    public async Task Token_is_replaced_with_its_ServiceAccount_and_used_by_the_CCM()
    {
        var before = await KubeconfigAsync(_ => true);

        await _fixture.Management.DeleteAsync<V1ServiceAccount>("tenant-t1", "kubelb-ccm");

        await KubeconfigAsync(k => k.AccessToken != before.AccessToken);
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "late").Replace("api.example.com", "late.example.com"));
        await _fixture.ExpectBackendAsync("late.example.com");
    }

    private Task<Config> ConfigureAsync(string url) =>
        _fixture.Management.PatchAsync<Config>("kubelb", "default", $$"""{"spec":{"apiServerURL":{{url}} } }""");

    private async Task<KubernetesClientConfiguration> KubeconfigAsync(Func<KubernetesClientConfiguration, bool> condition)
    {
        var secret = await _fixture.Management.WaitAsync<V1Secret>(
            "tenant-t1",
            "kubelb-ccm-kubeconfig",
            s => condition(Read(s)),
            "is as expected"
        );
        return Read(secret);
    }

    private static KubernetesClientConfiguration Read(V1Secret secret)
    {
        using var yaml = new MemoryStream(secret.Data["kubelb"]);
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml);
    }

    private async Task<TestCluster> TenantAsync() => new(_fixture.Sandbox.Management.CreateClient(await KubeconfigAsync(_ => true)));
}
