using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.KubeConfigModels;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Dashboard;
using KubeLB.Inspection.Tests.Dashboard.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>What the list contains. No controller runs: the tests write the status.</summary>
public sealed class RowTableTests : IAsyncLifetime
{
    private SandboxEnvironment _sandbox = null!;
    private TestCluster _tenant = null!;

    public async ValueTask InitializeAsync()
    {
        _sandbox = await SandboxEnvironment.StartAsync(new SandboxOptions { StartControllers = false });
        _tenant = new TestCluster(_sandbox.Tenants[0].Cluster.CreateClient("test"));
    }

    public async ValueTask DisposeAsync()
    {
        await _tenant.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    [Fact]
    public async Task Page_that_reconnects_gets_what_it_missed()
    {
        await _tenant.ApplyAsync(Documents.Gateway);
        await SampleRoutes.CreateAsync(_tenant, 1);
        await SampleRoutes.CreateAsync(_tenant, 2);
        await using var server = await SandboxDashboard.StartAsync(_sandbox, CancellationToken.None);
        using var client = new DashboardClient(server);
        var overview = await client.OverviewAsync(
            rows => rows.Count(r => r.GetProperty("kind").GetString() == "HTTPRoute") == 2,
            "two routes"
        );
        var version = overview.GetProperty("version").GetInt64();

        await _tenant.DeleteAsync<HttpRoute>("default", "route-1");
        await client.OverviewAsync(rows => rows.Count(r => r.GetProperty("kind").GetString() == "HTTPRoute") == 1, "one route");
        using var behind = await client.FollowAsync($"since={version}");
        var (missed, _) = await behind.NextAsync("rows");
        missed.GetProperty("removed").EnumerateArray().Select(r => r.GetString()).Should().Equal("HTTPRoute/tenant-t1/default/route-1");
        missed.GetProperty("changed").GetArrayLength().Should().Be(0);

        using var ahead = await client.FollowAsync("since=1000000");
        await ahead.NextAsync("reload");
    }

    [Fact]
    public async Task Route_of_another_controller_is_not_listed()
    {
        await _tenant.CreateAsync(
            new GatewayClass
            {
                Metadata = { Name = "other" },
                Spec = new GatewayClassSpec { ControllerName = "example.com/other" },
            }
        );
        await _tenant.CreateAsync(
            new Gateway
            {
                Metadata = { Name = "other", NamespaceProperty = "default" },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "other",
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Port = 80,
                            Protocol = "HTTP",
                        },
                    ],
                },
            }
        );
        await _tenant.ApplyAsync(Documents.Gateway);
        await SampleRoutes.CreateAsync(_tenant, 1);
        await SampleRoutes.CreateAsync(_tenant, 2, gateway: "other");
        await SampleRoutes.CreateAsync(_tenant, 3, gateway: "my-gatewy");
        await using var server = await SandboxDashboard.StartAsync(_sandbox, CancellationToken.None);
        using var client = new DashboardClient(server);

        var overview = await client.OverviewAsync(
            rows =>
                rows.Any(r => r.GetProperty("name").GetString() == "route-1")
                && rows.All(r => r.GetProperty("name").GetString() != "route-2"),
            "only the route of KubeLB is listed"
        );
        overview.ToString().Should().NotContain("other");
        overview = await client.OverviewAsync(
            rows => rows.Any(r => r.GetProperty("name").GetString() == "route-3" && r.GetProperty("state").GetString() == "Broken"),
            "the route without a Gateway is broken"
        );
        overview.ToString().Should().Contain("ParentNotFound").And.Contain("my-gateway");

        await _tenant.CreateAsync(
            new Gateway
            {
                Metadata = { Name = "my-gatewy", NamespaceProperty = "default" },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "kubelb",
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Port = 80,
                            Protocol = "HTTP",
                        },
                    ],
                },
            }
        );
        await client.OverviewAsync(
            rows => rows.Any(r => r.GetProperty("name").GetString() == "route-3" && r.GetProperty("state").GetString() == "Waiting"),
            "the route waits for the CCM when its Gateway exists"
        );
    }

    [Fact]
    [Trait("Threat", "dashboard-markup")]
    public async Task Texts_of_a_tenant_are_cut_and_escaped()
    {
        await _tenant.ApplyAsync(Documents.Gateway);
        await SampleRoutes.CreateAsync(_tenant, 1);
        var status = SampleRoutes.Status("False", "BackendNotFound");
        status.Parents[0].Conditions[1].Message = "\u202e" + new string('x', 30_000);
        await _tenant.PatchStatusAsync<HttpRoute>("default", "route-1", status);
        await using var server = await SandboxDashboard.StartAsync(_sandbox, CancellationToken.None);
        using var client = new DashboardClient(server);

        var overview = await client.OverviewAsync(
            rows =>
                rows.Any(r => r.TryGetProperty("message", out var m) && m.GetString()!.StartsWith("\\u202ex", StringComparison.Ordinal)),
            "the message is listed"
        );
        var view = await client.TraceAsync(
            "kind=HTTPRoute&namespace=default&name=route-1&tenant=t1",
            v => v.GetProperty("conditions").ToString().Contains("202ex", StringComparison.Ordinal),
            "the condition is shown"
        );

        overview.ToString().Length.Should().BeLessThan(5_000);
        view.ToString().Length.Should().BeLessThan(20_000);
        (overview.ToString() + view).Should().NotContain("\u202e");
    }

    [Fact]
    public async Task User_of_one_namespace_sees_its_routes()
    {
        await _tenant.ApplyAsync(Documents.Gateway);
        await SampleRoutes.CreateAsync(_tenant, 1);
        using var admin = _sandbox.Tenants[0].Cluster.CreateClient("test");
        await admin.RbacAuthorizationV1.CreateNamespacedRoleAsync(
            new V1Role
            {
                Metadata = new V1ObjectMeta { Name = "viewer" },
                Rules =
                [
                    new V1PolicyRule
                    {
                        ApiGroups = ["*"],
                        Resources = ["*"],
                        Verbs = ["get", "list", "watch"],
                    },
                ],
            },
            "default"
        );
        await admin.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(
            new V1RoleBinding
            {
                Metadata = new V1ObjectMeta { Name = "viewer" },
                RoleRef = new V1RoleRef
                {
                    ApiGroup = "rbac.authorization.k8s.io",
                    Kind = "Role",
                    Name = "viewer",
                },
                Subjects =
                [
                    new Rbacv1Subject
                    {
                        Kind = "ServiceAccount",
                        Name = "viewer",
                        NamespaceProperty = "default",
                    },
                ],
            },
            "default"
        );
        await using var server = await DashboardServer.StartAsync(
            new DashboardOptions { Tenants = [new DashboardTenant(await ViewerAsync(), null) { OnlyNamespace = "default" }] }
        );
        using var client = new DashboardClient(server);

        await client.OverviewAsync(rows => rows.Any(r => r.GetProperty("name").GetString() == "route-1"), "the route is listed");
        var view = await client.TraceAsync(
            "kind=HTTPRoute&namespace=default&name=route-1",
            v => !v.ToString().Contains("being read", StringComparison.Ordinal),
            "the namespace is read"
        );
        view.ToString().Should().NotContain("forbids listing services").And.NotContain("forbids listing gateways");
        var other = await client.GetAsync("api/trace?kind=HTTPRoute&namespace=other&name=a");
        other.GetProperty("paths")[0].GetProperty("trace").GetProperty("unseen")[0].GetString().Should().Contain("only namespace default");
    }

    [Trait("Threat", "dashboard-requests")]
    [Fact]
    public async Task Request_to_an_address_that_only_the_tenant_reports_is_not_sent()
    {
        await _tenant.ApplyAsync(Documents.Gateway);
        await _tenant.PatchStatusAsync<Gateway>(
            "default",
            "my-gateway",
            new GatewayStatus { Addresses = [new GatewayAddress { Value = "127.0.0.1" }] }
        );
        await SampleRoutes.CreateAsync(_tenant, 1);
        await using var server = await SandboxDashboard.StartAsync(_sandbox, CancellationToken.None);
        using var client = new DashboardClient(server);
        await client.TraceAsync(
            "kind=HTTPRoute&namespace=default&name=route-1&tenant=t1",
            v => v.GetProperty("paths")[0].GetProperty("trace").TryGetProperty("endpoint", out _),
            "the tenant's Gateway has an address"
        );

        var (status, body) = await client.PostAsync(
            "api/probe",
            new JsonObject
            {
                ["selection"] = new JsonObject
                {
                    ["kind"] = "HTTPRoute",
                    ["namespace"] = "default",
                    ["name"] = "route-1",
                    ["tenant"] = "t1",
                },
                ["address"] = "127.0.0.1:80",
            }
        );

        status.Should().Be(HttpStatusCode.BadRequest);
        body.GetProperty("problem").GetString().Should().Contain("not an address of the Gateway in the management cluster");
    }

    [Fact]
    public async Task Kinds_that_the_user_may_not_read_are_reported_and_the_rest_is_shown()
    {
        await _tenant.ApplyAsync(Documents.Gateway);
        await _tenant.ApplyAsync(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata:
              name: viewer
            rules:
              - apiGroups: [gateway.networking.k8s.io]
                resources: [gateways]
                verbs: [get, list, watch]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata:
              name: viewer
            roleRef:
              apiGroup: rbac.authorization.k8s.io
              kind: ClusterRole
              name: viewer
            subjects:
              - kind: ServiceAccount
                name: viewer
                namespace: default
            """
        );
        await using var server = await DashboardServer.StartAsync(
            new DashboardOptions { Tenants = [new DashboardTenant(await ViewerAsync(), null)] }
        );
        using var client = new DashboardClient(server);

        await client.OverviewAsync(rows => rows.Any(r => r.GetProperty("kind").GetString() == "Gateway"), "the Gateway is listed");
        var overview = await Eventually.GetAsync(
            "what is not readable is reported",
            () => client.GetAsync("api/overview"),
            o =>
                o.GetProperty("problems")
                    .EnumerateArray()
                    .Any(p => p.GetString()!.Contains("forbids listing httproutes", StringComparison.Ordinal))
        );
        overview.GetProperty("problems").ToString().Should().Contain("--management-kubeconfig").And.NotContain("listing gateways");
        var view = await client.GetAsync("api/trace?kind=HTTPRoute&namespace=default&name=a");
        view.GetProperty("paths")[0].GetProperty("trace").GetProperty("unseen").GetArrayLength().Should().BePositive();
    }

    private async Task<IKubernetes> ViewerAsync()
    {
        using var admin = _sandbox.Tenants[0].Cluster.CreateClient("test");
        await admin.CoreV1.CreateNamespacedServiceAccountAsync(
            new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = "viewer" } },
            "default"
        );
        var token = await admin.CoreV1.CreateNamespacedServiceAccountTokenAsync(
            new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [] } },
            "viewer",
            "default"
        );
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(
            KubernetesYaml.Deserialize<K8SConfiguration>(_sandbox.Tenants[0].Cluster.KubeconfigYaml)
        );
        configuration.ClientCertificateData = configuration.ClientCertificateKeyData = null;
        configuration.AccessToken = token.Status.Token;
        return _sandbox.Tenants[0].Cluster.CreateClient(configuration);
    }
}
