using System.Diagnostics;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters.Embedded;

namespace KubeLB.EndToEnd;

/// <summary>
/// A minute of random changes while both processes are killed, restarted and disconnected and both API servers fail, expire watches
/// and reject writes. The final state must match the tenant's objects exactly. The seed is in the output.
/// </summary>
public sealed class EnduranceTests(ITestOutputHelper output)
{
    private const string Ccm = "kubelb-ccm";
    private const string Manager = "kubelb-manager";
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);
    private static readonly string[] Gateways = ["g0", "g1"];
    private static readonly string[] Services = ["s0", "s1", "s2"];
    private static readonly string[] Routes = ["r0", "r1", "r2", "r3", "r4", "r5"];

    private readonly List<string> _log = [];

    [Theory]
    [InlineData(20261129)]
    [Trait("Threat", "restarts")]
    public async Task State_after_random_faults_and_changes_matches_the_tenants_objects(int seed)
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be disconnected on demand");
#pragma warning disable CA5394 // The seeded sequence makes failures reproducible.
        var random = new Random(seed);
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        var watch = Stopwatch.StartNew();
        var faults = 0;
        try
        {
            while (watch.Elapsed < Length)
            {
                await ChangeAsync(fixture.Tenant, random);
                if (random.Next(3) == 0)
                {
                    faults++;
                    await FaultAsync(fixture, random);
                }
            }

            (await fixture.Tenant.ListAsync<HttpRoute>("default")).Should().NotBeEmpty("there is something to compare");
            await ExpectedState.ExpectAsync(fixture, $"{_log.Count} steps with seed {seed}");
            output.WriteLine($"seed {seed}: {_log.Count} steps, {faults} faults");
        }
        catch (Exception)
        {
            output.WriteLine(string.Join('\n', _log));
            throw;
        }

        // Requests are served again.
        foreach (var gateway in Gateways.Where(g => fixture.Tenant.GetAsync<Gateway>("default", g).Result is null))
        {
            await fixture.Tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", gateway));
        }

        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private async Task ChangeAsync(TestCluster tenant, Random random)
    {
        var route = Pick(random, Routes);
        var gateway = Pick(random, Gateways);
        var service = Pick(random, Services);
        switch (random.Next(8))
        {
            case 0:
                Log($"toggle {service}");
                if (!await tenant.DeleteAsync<V1Service>("default", service))
                {
                    await tenant.ApplyAsync(Documents.Backend.Replace("api-backend", service));
                }

                break;
            case 1:
                Log($"toggle {gateway}");
                if (!await tenant.DeleteAsync<Gateway>("default", gateway))
                {
                    await tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", gateway));
                }

                break;
            case 2:
                Log($"recreate {gateway}");
                await tenant.DeleteAsync<Gateway>("default", gateway);
                await tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", gateway));
                break;
            case 3:
                Log($"delete {route}");
                await tenant.DeleteAsync<HttpRoute>("default", route);
                break;
            case 4 or 5:
                Log($"recreate {route} of {gateway} to {service}");
                await tenant.DeleteAsync<HttpRoute>("default", route);
                await tenant.ApplyAsync(
                    Documents
                        .Route.Replace("api-route", route)
                        .Replace("my-gateway", gateway)
                        .Replace("api-backend", service)
                        .Replace("api.example.com", $"{route}.example.com")
                );
                break;
            default:
                if (await tenant.GetAsync<HttpRoute>("default", route) is not null)
                {
                    var host = $"{route}-{random.Next(1000)}.example.com";
                    Log($"edit {route}: {host} of {gateway} to {service}");
                    await tenant.PatchAsync<HttpRoute>(
                        "default",
                        route,
                        $$$"""
                        {"spec":{"hostnames":["{{{host}}}"],"parentRefs":[{"name":"{{{gateway}}}"}],
                          "rules":[{"backendRefs":[{"name":"{{{service}}}","port":8080}]}]}}
                        """
                    );
                }

                break;
        }
    }

    private async Task FaultAsync(SystemFixture fixture, Random random)
    {
        var management = ((EmbeddedTestCluster)fixture.Sandbox.Management).Server.Faults;
        var tenant = ((EmbeddedTestCluster)fixture.Sandbox.Tenants[0].Cluster).Server.Faults;
        var ccm = fixture.Sandbox.Tenants[0].Ccm;
        var pause = TimeSpan.FromMilliseconds(random.Next(50, 3000));
        switch (random.Next(10))
        {
            case 0:
                await KillAsync("CCM", Ccm, ccm, [tenant, management], pause);
                break;
            case 1:
                await KillAsync("manager", Manager, fixture.Sandbox.Manager, [management], pause);
                break;
            case 2:
                Log("restart the CCM");
                await ccm.RestartAsync();
                break;
            case 3:
                Log("restart the manager");
                await fixture.Sandbox.Manager.RestartAsync();
                break;
            case 4:
                await DisconnectAsync(
                    "CCM from the management cluster",
                    management,
                    r => r.UserAgent.StartsWith(Ccm, StringComparison.Ordinal),
                    pause
                );
                break;
            case 5:
                await DisconnectAsync("CCM from its cluster", tenant, r => r.UserAgent.StartsWith(Ccm, StringComparison.Ordinal), pause);
                break;
            case 6:
                await DisconnectAsync("manager", management, r => r.UserAgent.StartsWith(Manager, StringComparison.Ordinal), pause);
                break;
            case 7:
                await DisconnectAsync(
                    "all controllers from the management cluster",
                    management,
                    r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal),
                    pause
                );
                break;
            case 8:
                Log("both API servers expire their watches");
                management.ExpireWatches();
                tenant.ExpireWatches();
                break;
            default:
                var code = Pick(random, [409, 429, 500, 503]);
                Log($"writes are answered with {code}");
                management.FailWrites(code, times: 10, r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal));
                tenant.FailWrites(code, times: 10, r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal));
                break;
        }
    }

    // Pending writes of the process are dropped.
    private async Task KillAsync(string what, string agent, ControllerProcess process, FaultInjector[] clusters, TimeSpan pause)
    {
        Log($"kill the {what}, {pause.TotalMilliseconds} ms");
        var cuts = clusters.Select(c => c.Partition(r => r.UserAgent.StartsWith(agent, StringComparison.Ordinal))).ToList();
        await process.StopAsync();
        await Task.Delay(pause);
        cuts.ForEach(cut => cut.Dispose());
        await process.StartAsync();
    }

    private async Task DisconnectAsync(
        string what,
        FaultInjector cluster,
        Func<EmbeddedCluster.RequestRecord, bool> matches,
        TimeSpan pause
    )
    {
        Log($"disconnect: {what}, {pause.TotalMilliseconds} ms");
        using var cut = cluster.Partition(matches);
        await Task.Delay(pause);
    }

    private static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];
#pragma warning restore CA5394

    private void Log(string step) => _log.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {step}");
}
