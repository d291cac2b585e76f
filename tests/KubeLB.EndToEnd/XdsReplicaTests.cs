using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Two managers: one leads and writes, a proxy talks to the other.</summary>
public sealed class XdsReplicaTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private BareManagement _bare = null!;
    private IHost _leader = null!;
    private IHost _other = null!;

    private TestCluster Management => _bare.Objects;

    public async Task InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _leader = await _bare.StartManagerAsync("leader", insecure: true);
        await _bare.AddTenantAsync(_leader);
        await _bare.SetAddressesAsync("10.7.0.1");
        await Management.CreateAsync(CarriedRoutes.Gateway(TenantNamespace));
        await Management.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
        _other = await _bare.StartManagerAsync("other", insecure: true);
        await Eventually.HoldsAsync("the other serves the route", () => Task.FromResult(
            _other.Services.GetRequiredService<ResourceCache>().Count(TenantNamespace, ResourceTypes.Cluster) == 1));
    }

    public async Task DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task What_the_other_hears_the_leader_writes()
    {
        using var proxy = Connect(_other);
        await proxy.SubscribeAsync(ResourceTypes.Cluster);
        await proxy.NackAsync(await proxy.ReceiveAsync(), "Error adding/updating cluster(s) default-web-web-80-TCP: bad");

        await RejectedAsync(rejected: true);
        WritesOf("other").Should().NotBeEmpty().And.OnlyContain(w => w.Contains(" leases/"), "who does not lead writes its report only");

        var services = CarriedRoutes.Http(TenantNamespace, "web").Kubernetes().Services!;
        services[0].Spec!.Ports![0].NodePort = 30081;
        await Management.PatchAsync<Route>(TenantNamespace, "web", ApiJson.ToJson(new { spec = new { source = new { kubernetes = new { services } } } }).ToJsonString());
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
        var secure = await _bare.StartManagerAsync("secure");
        await Eventually.HoldsAsync("it has the certificate of its server", () => Task.FromResult(secure.Services.GetRequiredService<XdsCertificates>().Server is not null));
        var secret = await Management.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        using var wrong = new RawProxy(
            secure.Services.GetRequiredService<XdsEndpoint>().Address!,
            "made-up",
            System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
                System.Text.Encoding.UTF8.GetString(secret.Data["tls.crt"]), System.Text.Encoding.UTF8.GetString(secret.Data["tls.key"])));
        await wrong.SubscribeAsync(ResourceTypes.Cluster);
        await wrong.EndAsync();

        await Eventually.HoldsAsync("an Event on the Tenant", async () => (await Management.ListAsync<Corev1Event>("default"))
            .Any(e => e.InvolvedObject.Name == "t1" && e.Reason == "ProxyRefused" && e.Message.Contains("set its node.id to tenant-t1")));
        WritesOf("secure").Should().OnlyContain(w => w.Contains(" leases/"));
    }

    private static RawProxy Connect(IHost manager) => new(manager.Services.GetRequiredService<XdsEndpoint>().Address!, TenantNamespace, certificate: null);

    // Without Envoy Gateway nobody says True.
    private Task<Route> RejectedAsync(bool rejected) => Management.WaitAsync<Route>(
        TenantNamespace,
        "web",
        r => r.Status?.Conditions?.Any(c => c.Type == RouteConditions.Programmed && c.Reason == RouteConditions.ProxyRejected) == rejected,
        rejected ? "is rejected" : "is not rejected");

    private async Task<Route> RouteAsync() => (await Management.GetAsync<Route>(TenantNamespace, "web"))!;

    private async Task<IReadOnlyList<V1Lease>> ReportsAsync() =>
        [.. (await Management.ListAsync<V1Lease>("kubelb")).Where(l => l.Metadata.Labels?.ContainsKey("kubelb.k8c.io/xds-report") == true)];

    private List<string> WritesOf(string userAgent) =>
        [.. _bare.Cluster.Requests().Where(r => r.IsWrite && r.UserAgent.StartsWith(userAgent, StringComparison.Ordinal)).Select(r => $"{r.Verb} {r.Resource}/{r.Name}")];
}
