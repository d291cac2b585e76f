using System.Net;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Hosting;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Missing prerequisites at the start are reported, awaited, and used once available.</summary>
public sealed class StartTests : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private ITestCluster _tenant = null!;
    private ITestCluster _management = null!;

    public async ValueTask InitializeAsync()
    {
        _tenant = await TestClusters.TestClusters.StartAsync("tenant");
        _management = await TestClusters.TestClusters.StartAsync("management");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _tenant.DisposeAsync();
        await _management.DisposeAsync();
    }

    [Fact]
    public async Task CCM_without_CRDs_reports_them_and_becomes_ready_once_installed()
    {
        await InstallCrdsAsync(_management, "kubelb.k8c.io");
        await using var management = new TestCluster(_management.CreateClient("test"));
        await management.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: tenant-t1\n");
        using var host = Ccm();
        await host.StartAsync();

        var waiting = await ReadyAsync(
            host,
            code => code == HttpStatusCode.ServiceUnavailable,
            text => !text.Contains("not synced yet", StringComparison.Ordinal)
        );
        waiting
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Should()
            .HaveCount(4)
            .And.OnlyContain(line =>
                line.Contains("gateway.networking.k8s.io", StringComparison.Ordinal)
                && line.Contains("install the CustomResourceDefinition", StringComparison.Ordinal)
            );

        await InstallCrdsAsync(_tenant, "gateway.networking.k8s.io");
        await ReadyAsync(host, code => code == HttpStatusCode.OK, _ => true);
        await host.StopAsync();
    }

    [Fact]
    public async Task Manager_without_CRDs_reports_them_and_becomes_ready_once_installed()
    {
        using var host = ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "0",
                EnableLeaderElection = false,
                MetricsAddress = "0",
                HealthProbeBindAddress = "127.0.0.1:0",
            },
            () => _management.CreateClient("kubelb-manager")
        );
        await host.StartAsync();
        await ReadyAsync(
            host,
            code => code == HttpStatusCode.ServiceUnavailable,
            text => text.Contains("tenants.kubelb.k8c.io", StringComparison.Ordinal)
        );

        await InstallCrdsAsync(_management, "kubelb.k8c.io", "gateway.networking.k8s.io");
        await ReadyAsync(host, code => code == HttpStatusCode.OK, _ => true);
        await host.StopAsync();
    }

    // A disconnected manager would serve outdated configuration to proxies.
    [Fact]
    public async Task Disconnected_manager_is_not_ready_until_its_watches_resume()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be disconnected on demand");
        await InstallCrdsAsync(_management, "kubelb.k8c.io", "gateway.networking.k8s.io");
        using var host = ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "0",
                EnableLeaderElection = false,
                MetricsAddress = "0",
                HealthProbeBindAddress = "127.0.0.1:0",
            },
            () => _management.CreateClient("kubelb-manager")
        );
        await host.StartAsync();
        await ReadyAsync(host, code => code == HttpStatusCode.OK, _ => true);

        using (
            ((EmbeddedTestCluster)_management).Server.Faults.Partition(r =>
                r.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal)
            )
        )
        {
            await ReadyAsync(
                host,
                code => code == HttpStatusCode.ServiceUnavailable,
                text => text.Contains("cluster management", StringComparison.Ordinal)
            );
        }

        await ReadyAsync(host, code => code == HttpStatusCode.OK, _ => true);
        await host.StopAsync();
    }

    [Fact]
    public async Task Second_manager_writes_only_after_the_leader_stops()
    {
        await InstallCrdsAsync(_management, "kubelb.k8c.io", "gateway.networking.k8s.io");
        await using var management = new TestCluster(_management.CreateClient("test"));
        await management.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kubelb\n");

        // An API server on the loopback interface does not publish its address.
        await management.ApplyAsync(
            "apiVersion: kubelb.k8c.io/v1alpha1\nkind: Config\nmetadata:\n  name: default\n  namespace: kubelb\nspec:\n  "
                + "apiServerURL: https://127.0.0.1:6443\n"
        );
        using var first = Manager("first");
        await first.StartAsync();
        await management.ApplyAsync(TenantNamed("t1"));
        await management.WaitAsync<Tenant>("", "t1", t => t.Status?.Phase == TenantPhases.Ready, "is ready");

        using var second = Manager("second");
        await second.StartAsync();
        await first.StopAsync();
        await management.ApplyAsync(TenantNamed("t2"));
        await management.WaitAsync<Tenant>("", "t2", t => t.Status?.Phase == TenantPhases.Ready, "is ready");

        _management
            .Requests()
            .Where(r => r.IsWrite && r.Resource == "namespaces" && r.UserAgent is "first" or "second")
            .Select(r => (r.UserAgent, r.Verb))
            .Should()
            .Equal(("first", "create"), ("second", "create"));
        await second.StopAsync();
    }

    private static string TenantNamed(string name) =>
        $"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {name}\nspec: {{}}\n";

    private IHost Ccm() =>
        CcmHost.Build(
            new CcmOptions
            {
                ClusterName = "t1",
                EnableGatewayApi = true,
                EnableLeaderElection = false,
                MetricsAddress = "0",
                HealthProbeBindAddress = "127.0.0.1:0",
            },
            new CcmConnections(() => _tenant.CreateClient("kubelb-ccm"), () => _management.CreateClient("kubelb-ccm"))
        );

    private IHost Manager(string userAgent) =>
        ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "0",
                MetricsAddress = "0",
                HealthProbeBindAddress = "0",
            },
            () => _management.CreateClient(userAgent)
        );

    private static Task InstallCrdsAsync(ITestCluster cluster, params string[] groups) =>
        cluster.InstallCrdsAsync(
            new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*_*.yaml"))
                .Where(file => groups.Any(group => Path.GetFileName(file).StartsWith(group, StringComparison.Ordinal)))
                .Select(File.ReadAllText)
        );

    private async Task<string> ReadyAsync(IHost host, Func<HttpStatusCode, bool> code, Func<string, bool> text)
    {
        var probe = host.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        var answer = await Eventually.GetAsync(
            "/readyz answers as expected",
            async () =>
            {
                using var response = await _http.GetAsync($"http://{probe}/readyz");
                return (response.StatusCode, Text: await response.Content.ReadAsStringAsync());
            },
            a => code(a.StatusCode) && text(a.Text)
        );
        return answer.Text;
    }
}
