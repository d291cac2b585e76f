using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Runtime.LeaderElection;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Two managers: one leads and writes, a proxy talks to the other.</summary>
public sealed class XdsReplicaTests : IAsyncLifetime
{
    private const string TenantNamespace = "tenant-t1";

    private ITestCluster _cluster = null!;
    private TestCluster _management = null!;
    private IHost _leader = null!;
    private IHost _other = null!;

    public async Task InitializeAsync()
    {
        _cluster = await TestClusters.TestClusters.StartAsync("management");
        _management = new TestCluster(_cluster.CreateClient("test"));
        await _cluster.InstallCrdsAsync(new[] { "deploy/crds", "src/KubeLB.Sandbox/Crds" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*.yaml")).Select(File.ReadAllText));
        await _management.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kubelb\n");

        // An API server on the loopback interface does not tell its address.
        await _management.ApplyAsync(
            "apiVersion: kubelb.k8c.io/v1alpha1\nkind: Config\nmetadata:\n  name: default\n  namespace: kubelb\nspec:\n  apiServerURL: https://127.0.0.1:6443\n");
        _leader = await StartAsync("leader");
        await _leader.Services.GetRequiredService<ILeadership>().WaitUntilLeadingAsync(default);
        await _management.ApplyAsync("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: t1\nspec: {}\n");
        await _management.WaitAsync<Tenant>("", "t1", t => t.Status?.Phase == TenantPhases.Ready, "is set up");
        await _management.CreateAsync(CarriedRoutes.Gateway(TenantNamespace));
        await _management.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
        _other = await StartAsync("other");
        await Eventually.HoldsAsync("the other serves the route", () => Task.FromResult(
            _other.Services.GetRequiredService<ResourceCache>().Count(TenantNamespace, ResourceTypes.Cluster) == 1));
    }

    public async Task DisposeAsync()
    {
        await _other.StopAsync();
        await _leader.StopAsync();
        _other.Dispose();
        _leader.Dispose();
        await _management.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task What_the_other_hears_the_leader_writes()
    {
        using var proxy = Connect(_other);
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        await proxy.NackAsync(await proxy.ReceiveAsync(), "Error adding/updating cluster(s) default-web-web-80-TCP: bad");

        await RejectedAsync(rejected: true);
        WritesOf("other").Should().NotBeEmpty().And.OnlyContain(w => w.Contains(" leases/"), "who does not lead writes its report only");

        var services = CarriedRoutes.Http(TenantNamespace, "web").Spec!.Source!.Kubernetes!.Services!;
        services[0].Spec!.Ports![0].NodePort = 30081;
        await _management.PatchAsync<Route>(TenantNamespace, "web", ApiJson.ToJson(new { spec = new { source = new { kubernetes = new { services } } } }).ToJsonString());
        await proxy.AckAsync(await proxy.ReceiveAsync());
        await RejectedAsync(rejected: false);
    }

    [Fact]
    public async Task What_it_heard_stands_when_it_ends_and_the_proxy_comes_to_the_leader()
    {
        using (var proxy = Connect(_other))
        {
            await proxy.SubscribeAsync(ResourceTypes.Cluster);
            await proxy.NackAsync(await proxy.ReceiveAsync(), "default-web-web-80-TCP is bad");
            await RejectedAsync(rejected: true);
            await _other.StopAsync();
        }

        var written = (await RouteAsync()).Metadata.ResourceVersion;
        using var again = Connect(_leader);
        await again.SubscribeAsync(ResourceTypes.Cluster);
        await again.NackAsync(await again.ReceiveAsync(), "default-web-web-80-TCP is bad");
        await Eventually.HoldsAsync("the leader has a report of its own", async () => (await ReportsAsync()).Count == 2);

        (await RouteAsync()).Metadata.ResourceVersion.Should().Be(written, "both say the same");
    }

    [Fact]
    public async Task A_stream_that_the_other_refuses_is_told_by_the_leader()
    {
        using var secure = await StartAsync("secure", insecure: false);
        var secret = await _management.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        using var wrong = new RawProxy(
            secure.Services.GetRequiredService<XdsEndpoint>().Address!,
            "made-up",
            System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
                System.Text.Encoding.UTF8.GetString(secret.Data["tls.crt"]), System.Text.Encoding.UTF8.GetString(secret.Data["tls.key"])));
        await wrong.SubscribeAsync(ResourceTypes.Cluster);
        await wrong.EndAsync();

        await Eventually.HoldsAsync("an Event on the Tenant", async () => (await _management.ListAsync<Corev1Event>("default"))
            .Any(e => e.InvolvedObject.Name == "t1" && e.Reason == "ProxyRefused" && e.Message.Contains("set its node.id to tenant-t1")));
        WritesOf("secure").Should().OnlyContain(w => w.Contains(" leases/"));
        await secure.StopAsync();
    }

    private static RawProxy Connect(IHost manager) => new(manager.Services.GetRequiredService<XdsEndpoint>().Address!, TenantNamespace, certificate: null);

    // Without Envoy Gateway nobody says True.
    private Task<Route> RejectedAsync(bool rejected) => _management.WaitAsync<Route>(
        TenantNamespace,
        "web",
        r => r.Status?.Conditions?.Any(c => c.Type == RouteConditions.Programmed && c.Reason == RouteConditions.ProxyRejected) == rejected,
        rejected ? "is rejected" : "is not rejected");

    private async Task<Route> RouteAsync() => (await _management.GetAsync<Route>(TenantNamespace, "web"))!;

    private async Task<IReadOnlyList<V1Lease>> ReportsAsync() =>
        [.. (await _management.ListAsync<V1Lease>("kubelb")).Where(l => l.Metadata.Labels?.ContainsKey("kubelb.k8c.io/xds-report") == true)];

    private List<string> WritesOf(string userAgent) =>
        [.. _cluster.Requests().Where(r => r.IsWrite && r.UserAgent.StartsWith(userAgent, StringComparison.Ordinal)).Select(r => $"{r.Verb} {r.Resource}/{r.Name}")];

    private async Task<IHost> StartAsync(string userAgent, bool insecure = true)
    {
        var host = ManagerHost.Build(
            new ManagerOptions { EnableGatewayApi = true, ListenAddress = "127.0.0.1:0", XdsInsecure = insecure, MetricsAddress = "0", HealthProbeBindAddress = "0" },
            () => _cluster.CreateClient(userAgent));
        await host.StartAsync();
        return host;
    }
}
