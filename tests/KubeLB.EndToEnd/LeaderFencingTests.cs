using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>Two managers, one of which is delayed or disconnected.</summary>
public sealed class LeaderFencingTests : IAsyncLifetime
{
    private const int Tenants = 10;
    private static readonly LeaseTimes Short = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(200));

    private ITestCluster _cluster = null!;
    private TestCluster _management = null!;

    private FaultInjector Faults => ((EmbeddedTestCluster)_cluster).Server.Faults;

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
        await _management.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Leader_with_requests_delayed_past_its_lease_writes_nothing_after_failover()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can inject faults");
        using var first = await StartLeaderAsync("first");
        using var second = Manager("second");
        await second.StartAsync();

        // As if the first were paused: its renewals and writes arrive after its lease has expired.
        using (
            Faults.Add(
                new FaultRule
                {
                    Matches = IsOf("first"),
                    Times = null,
                    Delay = Short.Duration * 2,
                }
            )
        )
        {
            _cluster.ForgetRequests();
            await CreateTenantsAsync();
            await ExpectTenantsAsync();
        }

        await first.StopAsync();
        ExpectHandover()
            .Where(r => r.UserAgent == "second" && r is { Resource: "tenants", Subresource: "" } && IsDone(r))
            .Should()
            .HaveCount(2 * Tenants, "finalizer and annotation: requests in progress when the lease expired had no effect");
        await second.StopAsync();
    }

    [Fact]
    [Trait("Threat", "api-server-outage")]
    public async Task Leader_that_cannot_renew_its_lease_stops_writing()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can inject faults");
        using var first = await StartLeaderAsync("first");
        using var second = Manager("second");
        await second.StartAsync();

        // Only its renewals are dropped; other requests succeed, slowly enough that work is left when the lease expires.
        using var slow = Faults.Add(
            new FaultRule
            {
                Matches = r => r.UserAgent == "first" && r.IsWrite && r.Resource != "leases",
                Times = null,
                Delay = TimeSpan.FromMilliseconds(150),
            }
        );
        using var cut = Faults.Partition(r => r.UserAgent == "first" && r.Resource == "leases");
        _cluster.ForgetRequests();
        await CreateTenantsAsync();
        await ExpectTenantsAsync();
        await first.StopAsync();

        ExpectHandover();
        await second.StopAsync();
    }

    // Before the second acquires the Lease only the first writes, and afterwards only the second.
    private IReadOnlyList<RequestRecord> ExpectHandover()
    {
        var requests = _cluster.Requests();
        var takeover = requests.TakeWhile(r => !(r is { UserAgent: "second", Resource: "leases", IsWrite: true } && IsDone(r))).Count();
        takeover.Should().BeLessThan(requests.Count, "the second became the leader");
        requests.Take(takeover).Where(r => r.UserAgent == "first" && IsWork(r)).Should().NotBeEmpty("the first had started its work");
        requests.Skip(takeover).Where(r => r.UserAgent == "first" && IsWork(r)).Should().BeEmpty();
        requests.Take(takeover).Where(r => r.UserAgent == "second" && IsWork(r)).Should().BeEmpty();
        return [.. requests.Skip(takeover)];
    }

    private async Task<IHost> StartLeaderAsync(string userAgent)
    {
        var host = Manager(userAgent);
        await host.StartAsync();
        await _management.ApplyAsync(TenantNamed("t0"));
        await _management.WaitAsync<Tenant>("", "t0", IsSetUp, "is set up");
        return host;
    }

    private async Task CreateTenantsAsync()
    {
        for (var i = 1; i <= Tenants; i++)
        {
            await _management.ApplyAsync(TenantNamed($"t{i}"));
        }
    }

    private async Task ExpectTenantsAsync()
    {
        for (var i = 1; i <= Tenants; i++)
        {
            await _management.WaitAsync<Tenant>("", $"t{i}", IsSetUp, "is set up");
        }
    }

    private static bool IsSetUp(Tenant tenant) => tenant.Status?.Phase == TenantPhases.Ready;

    private static bool IsWork(RequestRecord request) => request.IsWrite && request.Resource != "leases";

    private static bool IsDone(RequestRecord request) => request.StatusCode is >= 200 and < 300;

    private static Func<RequestRecord, bool> IsOf(string userAgent) => request => request.UserAgent == userAgent && request.Verb != "watch";

    private static string TenantNamed(string name) =>
        $"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {name}\nspec: {{}}\n";

    private IHost Manager(string userAgent) =>
        ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "0",
                MetricsAddress = "0",
                HealthProbeBindAddress = "0",
                Lease = Short,
            },
            () => _cluster.CreateClient(userAgent)
        );
}
