using System.Net;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Hosting;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>A manager is ready when it can serve its proxies, despite other errors.</summary>
public sealed class ManagerReadinessTests : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private ITestCluster _cluster = null!;
    private TestCluster _management = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestClusters.TestClusters.StartAsync("management");
        _management = new TestCluster(_cluster.CreateClient("test"));
        await _cluster.InstallCrdsAsync(
            new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*_*.yaml"))
                .Select(File.ReadAllText)
        );
        await _management.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kubelb\n");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _management.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("poddisruptionbudgets", true)]
    [InlineData("rolebindings", true)]
    [InlineData("routes", false)]
    [InlineData("secrets", false)]
    public async Task Manager_with_one_kind_forbidden_is_ready_unless_it_serves_from_that_kind(string resource, bool ready)
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can inject faults");
        using var forbidden = ((EmbeddedTestCluster)_cluster).Server.Faults.Add(
            new FaultRule
            {
                Matches = r => r.UserAgent == "manager" && r.Resource == resource && !r.IsWrite,
                StatusCode = 403,
                Times = null,
            }
        );
        using var host = ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "127.0.0.1:0",
                MetricsAddress = "0",
                HealthProbeBindAddress = "127.0.0.1:0",
            },
            () => _cluster.CreateClient("manager")
        );
        await host.StartAsync();
        var probe = host.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var response = await _http.GetAsync($"http://{probe}/readyz");
                var text = await response.Content.ReadAsStringAsync();
                return (response.StatusCode == HttpStatusCode.OK) == ready
                    && text.Contains(ready ? $"{resource}" : "forbids listing", StringComparison.Ordinal)
                    && text.Contains("ok, but: ", StringComparison.Ordinal) == ready;
            },
            "/readyz answers as expected"
        );
        await host.StopAsync();
    }
}
