using System.Diagnostics;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
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
    private const string Third = "tenant-t3";

    // More than the route controller has workers.
    private const int SlowRoutes = 8;

    // About 0.1 s without load, and 0.1 s while the other tenant's keys are in progress.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    // 0.1 s, and at most 0.3 s while the other tenant's Routes are read.
    private static readonly TimeSpan LoadedDeadline = TimeSpan.FromSeconds(3);

    private const string OtherHostname = """{"spec":{"source":{"kubernetes":{"resource":{"spec":{"hostnames":["other.example.com"]}}}}}}""";

    [Fact]
    [Trait("Threat", "slow-routes")]
    public async Task Route_is_generated_while_another_tenant_has_more_slow_keys_than_workers()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can delay writes");
        await using var fixture = await SystemFixture.StartAsync(tenants: 2);
        await StopCcmsAsync(fixture);

        await GenerateAsync(fixture, Quick, "warm");
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
        await GenerateAsync(fixture, Quick, "quick");
        var elapsed = Stopwatch.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper?.WriteLine($"Generated after {elapsed.TotalMilliseconds:0} ms.");
        elapsed.Should().BeLessThan(Deadline);
    }

    [Fact]
    [Trait("Threat", "slow-routes")]
    public async Task Route_is_generated_while_two_other_tenants_have_routes_with_many_Services()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can delay writes");
        await using var fixture = await SystemFixture.StartAsync(tenants: 3);
        await StopCcmsAsync(fixture);

        await GenerateAsync(fixture, Third, "warm");
        await fixture.SettleAsync();
        var writes = 0;
        var server = ((EmbeddedTestCluster)fixture.Sandbox.Management).Server;
        var delay = server.Faults.Add(
            new FaultRule
            {
                Matches = r =>
                {
                    var matches = r is { UserAgent: "kubelb-manager", IsWrite: true, Namespace: Slow or Quick, Resource: "services" };
                    Interlocked.Add(ref writes, matches ? 1 : 0);
                    return matches;
                },
                Times = null,
                Delay = TimeSpan.FromMilliseconds(100),
            }
        );

        // Each of them takes 6.4 s, and together they occupy every worker.
        for (var i = 0; i < 3; i++)
        {
            await fixture.Management.CreateAsync(CcmRoutes.HttpWithServices(Slow, $"many{i}", services: 64));
            await fixture.Management.CreateAsync(CcmRoutes.HttpWithServices(Quick, $"many{i}", services: 64));
        }

        await Eventually.HoldsAsync(() => Volatile.Read(ref writes) >= 8, "Services of both tenants are being written");

        var started = Stopwatch.GetTimestamp();
        await GenerateAsync(fixture, Third, "quick");
        var elapsed = Stopwatch.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper?.WriteLine($"Generated after {elapsed.TotalMilliseconds:0} ms.");
        elapsed.Should().BeLessThan(Deadline);
        delay.Dispose();
        await fixture.Management.WaitAsync<HttpRoute>(Slow, "default-many0", r => r.Spec!.Rules!.Count == 4, "is generated, in slices");
    }

    [Fact]
    [Trait("Threat", "slow-routes")]
    public async Task Services_that_the_API_server_rejects_slowly_are_reported_and_not_written_again_and_again()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject writes on request");
        await using var fixture = await SystemFixture.StartAsync();
        await StopCcmsAsync(fixture);
        var writes = 0;
        var server = ((EmbeddedTestCluster)fixture.Sandbox.Management).Server;
        using var rejection = server.Faults.Add(
            new FaultRule
            {
                Matches = r =>
                {
                    var matches = r is { UserAgent: "kubelb-manager", IsWrite: true, Namespace: Slow, Resource: "services" };
                    Interlocked.Add(ref writes, matches ? 1 : 0);
                    return matches;
                },
                Times = null,
                Delay = TimeSpan.FromMilliseconds(20),
                StatusCode = 422,
            }
        );

        await fixture.Management.CreateAsync(CcmRoutes.HttpWithServices(Slow, "many", services: 64));
        await fixture.Management.WaitAsync<Api.V1Alpha1.Route>(
            Slow,
            "many",
            r => r.Status?.Conditions?.Any(c => c.Status == "False") == true,
            "reports the error"
        );

        Volatile.Read(ref writes).Should().BeLessThan(3 * 64);
    }

    // 40 Routes of 1.4 MB delayed the other tenant by 102 s before the size of a Route was limited.
    [Fact]
    [Trait("Threat", "slow-routes")]
    [Trait("Threat", "large-routes")]
    public async Task Route_is_generated_while_another_tenant_creates_changes_and_deletes_large_Routes()
    {
        await using var fixture = await SystemFixture.StartAsync(tenants: 2);
        await StopCcmsAsync(fixture);
        await GenerateAsync(fixture, Quick, "warm");
        await MeasureAsync("without load");
        (string Name, int Count, Func<string, Route> Route)[] attacks =
        [
            ("1500-services", 8, name => CcmRoutes.HttpWithServices(Slow, name, services: 1500)),
            ("600-services", 5, name => CcmRoutes.HttpWithServices(Slow, name, services: 600)),
            ("400-services", 5, name => CcmRoutes.HttpWithServices(Slow, name, services: 400)),
            ("64-services", 5, name => CcmRoutes.HttpWithServices(Slow, name, services: 64)),
            ("unknown-fields", 16, WithUnknownFields),
        ];

        foreach (var attack in attacks)
        {
            var names = Enumerable.Range(0, attack.Count).Select(i => $"{attack.Name}-{i}").ToList();
            await EachAsync(names, name => fixture.Management.CreateAsync(attack.Route(name)));
            await MeasureAsync($"{attack.Name}-create");
            await EachAsync(names, name => fixture.Management.PatchAsync<Route>(Slow, name, OtherHostname));
            await MeasureAsync($"{attack.Name}-change");
            await EachAsync(names, name => fixture.Management.DeleteAsync<Route>(Slow, name));
            await MeasureAsync($"{attack.Name}-delete");
        }

        // The requests of the attack have been answered, but not all of its keys have been reconciled.
        async Task MeasureAsync(string name)
        {
            var started = Stopwatch.GetTimestamp();
            await GenerateAsync(fixture, Quick, name.Replace(' ', '-'));
            var elapsed = Stopwatch.GetElapsedTime(started);
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {elapsed.TotalMilliseconds:0} ms");
            elapsed.Should().BeLessThan(LoadedDeadline, name);
        }
    }

    private static async Task EachAsync(IEnumerable<string> names, Func<string, Task> act)
    {
        foreach (var name in names)
        {
            await act(name);
        }
    }

    private static Route WithUnknownFields(string name)
    {
        var route = CcmRoutes.Http(Slow, name);
        route.Change(k =>
        {
            for (var i = 0; i < 70_000; i++)
            {
                k.Resource!["spec"]![$"key{i:D10}"] = 1;
            }
        });
        return route;
    }

    // They would remove Routes that they did not create.
    private static async Task StopCcmsAsync(SystemFixture fixture)
    {
        foreach (var tenant in fixture.Sandbox.Tenants)
        {
            await tenant.Ccm.StopAsync();
        }
    }

    private static async Task GenerateAsync(SystemFixture fixture, string tenantNamespace, string name)
    {
        await fixture.Management.CreateAsync(CcmRoutes.Http(tenantNamespace, name));
        await fixture.Management.WaitAsync<HttpRoute>(tenantNamespace, $"default-{name}", _ => true, "is generated");
    }
}
