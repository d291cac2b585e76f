using System.Text;
using k8s;
using k8s.Models;
using KubeLB.Cli;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Checks;
using KubeLB.Inspection.Metrics;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary><c>kubelb top</c> with the metrics of real Envoys, read through the API server.</summary>
public sealed class TopTests : IAsyncLifetime
{
    private const string WithoutPods = """
        apiVersion: v1
        kind: Service
        metadata: {name: no-pods, namespace: default}
        spec: {selector: {app: none}, ports: [{port: 8080}]}
        """;

    private readonly string _kubeconfig = Path.GetTempFileName();
    private SystemFixture _fixture = null!;
    private HttpClient _http = null!;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync(proxies: ProxyKind.Envoy);
        _http = new HttpClient(_fixture.Sandbox.CreateGatewayHandler());
        await _fixture.Tenant.ApplyAsync(RouteTo("second", "api-backend"));
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.ExpectBackendAsync("second.example.com");
        _address = await _fixture.AddressAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        File.Delete(_kubeconfig);
        if (_fixture is not null)
        {
            await _fixture.DisposeAsync();
        }
    }

    [Fact]
    public async Task Requests_and_errors_are_counted_for_the_route_that_served_them()
    {
        await using var clusters = ClusterConnections.Open(null, _fixture.Sandbox.Management.CreateClient("top"));
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        await using var reports = TrafficReport
            .WatchAsync(clusters, null, TimeSpan.FromMilliseconds(500), TimeProvider.System, deadline.Token)
            .GetAsyncEnumerator(deadline.Token);
        (await reports.MoveNextAsync()).Should().BeTrue();
        reports.Current.Problems.Should().BeEmpty();
        reports.Current.Tenants.Should().ContainSingle().Which.Proxies.Should().Be(1);

        await SendAsync("api.example.com", 20, "200");
        await SendAsync("second.example.com", 7, "200");
        await SendAsync("second.example.com", 5, "503");

        // Each interval begins where the one before ended, so their sum is what was sent.
        var (first, second, latency) = ((Requests: 0L, Errors: 0L), (Requests: 0L, Errors: 0L), (LatencyFigures?)null);
        while ((first.Requests, second.Requests, second.Errors) != (20, 12, 5) || latency is null)
        {
            (await reports.MoveNextAsync()).Should().BeTrue();
            first = Add(first, reports.Current, "api-route");
            second = Add(second, reports.Current, "second");
            latency ??= reports.Current.Total!.Latency;
            (first.Requests <= 20 && second is { Requests: <= 12, Errors: <= 5 }).Should().BeTrue($"{first} {second}");
        }

        first.Errors.Should().Be(0);
        latency.P50.Should().BeInRange(0, latency.P95);
        latency.P95.Should().BeInRange(0, latency.P99);
        await ExpectTableAsync();
        await ExpectMissingPermissionAsync();
    }

    [Fact]
    public async Task Check_says_which_Services_the_proxies_do_not_reach()
    {
        await using var clusters = ClusterConnections.Open(null, _fixture.Sandbox.Management.CreateClient("check"));
        await SendAsync("api.example.com", 1, "200");
        (await NodePortsAsync(clusters)).State.Should().Be(CheckState.Ok);

        await _fixture.Tenant.ApplyAsync(WithoutPods);
        await _fixture.Tenant.ApplyAsync(RouteTo("unreached", "no-pods"));
        await Eventually.HoldsAsync(
            async () =>
            {
                await SendAsync("unreached.example.com", 1);
                return (await NodePortsAsync(clusters)).State == CheckState.Warning;
            },
            "a request has reached no node"
        );

        var result = await NodePortsAsync(clusters);
        result.Reason.Should().Be("No connection of a proxy succeeded to default/no-pods:8080 of tenant t1.");
    }

    private static string RouteTo(string name, string service) =>
        Documents.Route.Replace("api-route", name).Replace("api.example.com", $"{name}.example.com").Replace("api-backend", service);

    private static Task<CheckResult> NodePortsAsync(ClusterConnections clusters) =>
        NodePortCheck.RunAsync(clusters, TimeProvider.System, CancellationToken.None);

    private async Task ExpectTableAsync()
    {
        var (code, output) = await TopAsync(_fixture.Sandbox.Management.KubeconfigYaml);
        code.Should().Be(0, output);
        output.Should().MatchRegex(@"t1 +HTTPRoute default/second +default/api-backend:8080 +0 ").And.Contain("t1     1 ");
    }

    private async Task ExpectMissingPermissionAsync()
    {
        using var admin = _fixture.Sandbox.Management.CreateClient("test");
        var account = new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = "viewer" } };
        await admin.CoreV1.CreateNamespacedServiceAccountAsync(account, "default");
        var role = new V1ClusterRole
        {
            Metadata = new V1ObjectMeta { Name = "viewer" },
            Rules =
            [
                new V1PolicyRule
                {
                    ApiGroups = ["", "kubelb.k8c.io"],
                    Resources = ["pods", "services", "routes"],
                    Verbs = ["list"],
                },
            ],
        };
        await admin.RbacAuthorizationV1.CreateClusterRoleAsync(role);
        await admin.RbacAuthorizationV1.CreateClusterRoleBindingAsync(
            new V1ClusterRoleBinding
            {
                Metadata = new V1ObjectMeta { Name = "viewer" },
                RoleRef = new V1RoleRef
                {
                    ApiGroup = "rbac.authorization.k8s.io",
                    Kind = "ClusterRole",
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
            }
        );
        var token = await admin.CoreV1.CreateNamespacedServiceAccountTokenAsync(
            new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [] } },
            "viewer",
            "default"
        );
        var yaml = _fixture.Sandbox.Management.KubeconfigYaml;
        var admins = yaml.Split('\n').Single(line => line.Contains("token:", StringComparison.Ordinal));

        var (code, output) = await TopAsync(yaml.Replace(admins, $"    token: {token.Status.Token}", StringComparison.Ordinal));

        code.Should().Be(1);
        output.Should().Contain("Forbidden").And.Contain("verb get on the resource pods/proxy");
    }

    private async Task<(int Code, string Output)> TopAsync(string kubeconfig)
    {
        await File.WriteAllTextAsync(_kubeconfig, kubeconfig);
        await using var output = new StringWriter(new StringBuilder());
        var code = await CliProgram.RunAsync(["top", "--management-kubeconfig", _kubeconfig, "--interval", "1s"], output, output);
        return (code, output.ToString());
    }

    private static (long Requests, long Errors) Add((long Requests, long Errors) sum, TrafficReport report, string route)
    {
        var figures = report.Tenants.Single().Backends.Single(b => b.Target.Name == route).Figures;
        return (sum.Requests + figures.Requests, sum.Errors + figures.Errors);
    }

    private async Task SendAsync(string host, int count, string? status = null)
    {
        for (var i = 0; i < count; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{_address}/");
            request.Headers.Host = host;
            request.Headers.Add("x-echo-status", status ?? "200");
            using var response = await _http.SendAsync(request);
            if (status is not null)
            {
                $"{(int)response.StatusCode}".Should().Be(status);
            }
        }
    }
}
