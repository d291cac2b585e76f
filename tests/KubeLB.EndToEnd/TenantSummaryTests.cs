using System.Diagnostics;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>The columns of <c>kubectl get tenants</c>. The test acts as the CCM.</summary>
public sealed class TenantSummaryTests : IAsyncLifetime
{
    private const string Ns = BareManagement.TenantNamespace;

    private readonly ForwardedClock _clock = new();
    private BareManagement _management = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _management = await BareManagement.StartAsync();
        _manager = await _management.StartManagerAsync(configure: services => services.AddSingleton<TimeProvider>(_clock));
        await _management.AddTenantAsync(_manager);
    }

    public async ValueTask DisposeAsync() => await _management.DisposeAsync();

    [Fact]
    public async Task Kubectl_get_tenants_shows_CCM_routes_Gateways_proxies_and_addresses()
    {
        using var kubectl = new KubectlBinary(_management.Cluster.KubeconfigYaml);
        (await kubectl.OkAsync("get tenants")).Columns(1).Take(2).Should().Equal("t1", "Ready");
        await AddRoutesAsync("a", "b");
        await _management.SetAddressesAsync("10.0.0.2", "127.0.0.1");
        await _management.Objects.WaitAsync<V1Deployment>(Ns, "envoy-tenant-t1", _ => true, "exists");
        await _management.Objects.PatchStatusAsync<V1Deployment>(Ns, "envoy-tenant-t1", new { replicas = 2, readyReplicas = 1 });

        var summary = await SummaryAsync("1.2.3", s => s is { Routes: 2, Gateways: 1, Addresses: 1, Proxies: "1/3" });

        var table = await kubectl.OkAsync("get tenants");
        table
            .Text.Split('\n')[0]
            .Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Should()
            .Equal("NAME", "PHASE", "CCM", "LAST SEEN", "ROUTES", "GATEWAYS", "PROXIES", "ADDRESSES", "AGE");
        table.Columns(1).Take(3).Should().Equal("t1", "Ready", "1.2.3");
        table.Columns(1).Skip(4).Take(4).Should().Equal("2", "1", summary.Proxies, "1");
        table.Text.Split('\n').Should().OnlyContain(line => line.Length <= 100);
    }

    [Fact]
    public async Task Summary_is_written_at_a_limited_rate_and_keeps_the_conditions()
    {
        await SummaryAsync("1.2.3", _ => true);
        await IdleAsync();
        var before = (await _management.Objects.GetAsync<Tenant>("", "t1"))!.Status!;
        var reconciles = await ReconcileCounts.OfAsync(_manager, "tenant");
        _management.Cluster.ForgetRequests();
        var start = _clock.GetTimestamp();

        for (var i = 0; i < 4 * TenantSummaryReconciler.Burst; i++)
        {
            await SeenAsync($"1.3.{i}");
        }

        await IdleAsync();
        TenantWrites()
            .Count.Should()
            .BeLessThanOrEqualTo(TenantSummaryReconciler.Burst + (int)(_clock.GetElapsedTime(start) / Delays.TenantSummary));

        await SummaryAsync("1.4.0", _ => true);
        (await ReconcileCounts.OfAsync(_manager, "tenant")).Should().Be(reconciles, "nothing else of the Tenant changed");
        var now = (await _management.Objects.GetAsync<Tenant>("", "t1"))!.Status!;
        now.Conditions.Should().BeEquivalentTo(before.Conditions);
        (now.Phase, now.ObservedGeneration).Should().Be((before.Phase, before.ObservedGeneration));

        // The tenant controller keeps the summary.
        await _management.Objects.PatchAsync<Tenant>("", "t1", """{"spec":{"envoyProxy":{"replicas":1}}}""");
        await _management.Objects.WaitAsync<Tenant>(
            "",
            "t1",
            t => t.Status!.ObservedGeneration == t.Metadata.Generation && t.Status.Summary?.CcmVersion == "1.4.0",
            "keeps its summary"
        );
    }

    private async Task AddRoutesAsync(params string[] names)
    {
        await _management.Objects.CreateAsync(CcmRoutes.Gateway(Ns, "my-gateway"));
        foreach (var name in names)
        {
            await _management.Objects.CreateAsync(CcmRoutes.Http(Ns, name));
        }
    }

    private async Task SeenAsync(string version)
    {
        if (await _management.Objects.GetAsync<Addresses>(Ns, "default") is null)
        {
            await _management.SetAddressesAsync("10.0.0.2");
        }

        var annotations = new Dictionary<string, string>
        {
            [Annotations.LastSeen] = StatusTime.Of(_clock.GetUtcNow()),
            [Annotations.CcmVersion] = version,
        };
        await _management.Objects.PatchAsync<Addresses>(
            Ns,
            "default",
            ApiJson.ToJson(new { Metadata = new V1ObjectMeta { Annotations = annotations } }).ToJsonString()
        );
    }

    // A report of the CCM after the time of one write; once more if another write came first. Not at each probe: the manager must be able
    // to renew its lease.
    private async Task<TenantSummary> SummaryAsync(string version, Func<TenantSummary, bool> holds)
    {
        var sinceReport = new Stopwatch();
        var summary = await Eventually.GetAsync(
            "the Tenant has the summary",
            async () =>
            {
                if (!sinceReport.IsRunning || sinceReport.Elapsed > TimeSpan.FromSeconds(8))
                {
                    _clock.Forward(Delays.TenantSummary);
                    await SeenAsync(version);
                    sinceReport.Restart();
                }

                return (await _management.Objects.GetAsync<Tenant>("", "t1"))!.Status!.Summary;
            },
            s => s?.CcmVersion == version && holds(s)
        );
        return summary!;
    }

    private Task IdleAsync() => ReconcileCounts.WaitUntilIdleAsync(() => [_manager]);

    private List<string> TenantWrites() =>
        [
            .. _management
                .Cluster.Requests()
                .Where(r => r is { IsWrite: true, UserAgent: "manager", Resource: "tenants" })
                .Select(r => $"{r.Verb} {r.Name} {r.Subresource}"),
        ];
}
