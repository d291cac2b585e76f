using System.Diagnostics;
using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A tenant whose keys take long does not delay another tenant.</summary>
public sealed class SlowTenantTests
{
    private const string Slow = "tenant-t1";
    private const string Quick = "tenant-t2";

    // More than the route controller has workers.
    private const int SlowRoutes = 8;

    // About 0.1 s without load, and 0.1 s while the other tenant's keys are in progress.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    [Fact]
    [Trait("Threat", "slow-routes")]
    public async Task Route_is_generated_while_another_tenant_has_more_slow_keys_than_workers()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can delay writes");
        await using var fixture = await SystemFixture.StartAsync(tenants: 2);
        foreach (var tenant in fixture.Sandbox.Tenants)
        {
            // The CCM would remove Routes that it did not create.
            await tenant.Ccm.StopAsync();
        }

        await fixture.Management.CreateAsync(CcmRoutes.Http(Quick, "warm"));
        await fixture.Management.WaitAsync<HttpRoute>(Quick, "default-warm", _ => true, "is generated");
        await fixture.SettleAsync();

        var server = ((EmbeddedTestCluster)fixture.Sandbox.Management).Server;
        var slowWrites = 0;
        using var delay = server.Faults.Add(
            new FaultRule
            {
                Matches = r =>
                {
                    var matches = r is { UserAgent: "kubelb-manager", IsWrite: true, Namespace: Slow };
                    Interlocked.Add(ref slowWrites, matches ? 1 : 0);
                    return matches;
                },
                Times = null,
                Delay = TimeSpan.FromSeconds(10),
            }
        );
        for (var i = 0; i < SlowRoutes; i++)
        {
            await fixture.Management.CreateAsync(CcmRoutes.Http(Slow, $"slow{i}"));
        }

        await Eventually.HoldsAsync(() => Volatile.Read(ref slowWrites) >= 3, "keys of the slow tenant are in progress");
        await Task.Delay(TimeSpan.FromMilliseconds(200));

        var started = Stopwatch.GetTimestamp();
        await fixture.Management.CreateAsync(CcmRoutes.Http(Quick, "quick"));
        await fixture.Management.WaitAsync<HttpRoute>(Quick, "default-quick", _ => true, "is generated");
        var elapsed = Stopwatch.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper?.WriteLine($"Generated after {elapsed.TotalMilliseconds:0} ms.");
        elapsed.Should().BeLessThan(Deadline);
    }
}
