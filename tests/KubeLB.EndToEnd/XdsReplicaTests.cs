using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Two managers: one is the leader, a proxy is connected to the other.</summary>
public sealed class XdsReplicaTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private BareManagement _bare = null!;
    private IHost _leader = null!;
    private IHost _other = null!;

    private TestCluster Management => _bare.Objects;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _leader = await _bare.StartManagerAsync("leader", insecure: true);
        await _bare.AddTenantAsync(_leader);
        await _bare.SetAddressesAsync("10.7.0.1");
        await Management.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        _other = await _bare.StartManagerAsync("other", insecure: true);
        await Eventually.HoldsAsync(
            () => Task.FromResult(_other.Services.GetRequiredService<ResourceCache>().Count(TenantNamespace, ResourceTypes.Cluster) == 1),
            "the other serves the route"
        );
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Rejection_on_each_replica_is_reported_by_one_counted_Event()
    {
        foreach (var manager in new[] { _other, _leader })
        {
            using var proxy = new RawProxy(manager.Services.GetRequiredService<XdsEndpoint>().Address!, TenantNamespace, certificate: null);
            await proxy.SubscribeAsync(ResourceTypes.Cluster);
            await proxy.NackAsync(await proxy.ReceiveAsync(), "Error adding/updating cluster(s) default-web-web-80-TCP: bad");
            var count = manager == _other ? 1 : 2;
            await Eventually.HoldsAsync(
                async () =>
                    (await Management.ListAsync<Corev1Event>("default"))
                        .Where(e => e.Reason == "ProxyRejected")
                        .Select(e => e.Count ?? 0)
                        .SequenceEqual([count]),
                $"one Event with count {count}"
            );
        }

        WritesOf("other")
            .Should()
            .OnlyContain(w => w.StartsWith("create events/", StringComparison.Ordinal) || w.Contains(" leases/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stream_rejected_by_another_replica_is_reported_on_the_Tenant()
    {
        var secure = await _bare.StartManagerAsync("secure");
        await Eventually.HoldsAsync(
            () => Task.FromResult(secure.Services.GetRequiredService<XdsCertificates>().Server is not null),
            "the manager has a server certificate"
        );
        var secret = await Management.WaitAsync<V1Secret>(TenantNamespace, "envoy-xds-client", s => s.Data?.Count > 0, "is there");
        using var wrong = new RawProxy(
            secure.Services.GetRequiredService<XdsEndpoint>().Address!,
            "made-up",
            System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
                System.Text.Encoding.UTF8.GetString(secret.Data["tls.crt"]),
                System.Text.Encoding.UTF8.GetString(secret.Data["tls.key"])
            )
        );
        await wrong.SubscribeAsync(ResourceTypes.Cluster);
        await wrong.EndAsync();

        await Eventually.HoldsAsync(
            async () =>
                (await Management.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == "t1" && e.Reason == "ProxyDenied" && e.Message.Contains("set node.id to tenant-t1")
                ),
            "an Event on the Tenant"
        );
        WritesOf("secure")
            .Should()
            .OnlyContain(w => w.StartsWith("create events/", StringComparison.Ordinal) || w.Contains(" leases/", StringComparison.Ordinal));
    }

    private List<string> WritesOf(string userAgent) =>
        [
            .. _bare
                .Cluster.Requests()
                .Where(r => r.IsWrite && r.UserAgent.StartsWith(userAgent, StringComparison.Ordinal))
                .Select(r => $"{r.Verb} {r.Resource}/{r.Name}"),
        ];
}
