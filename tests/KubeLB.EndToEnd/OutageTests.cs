using System.Diagnostics;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.LeaderElection;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>An API server outage of 30 s, twice the lease duration, fails no request and ends no xDS stream.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    // Ten times what it takes if both run at once.
    private static readonly TimeSpan Return = TimeSpan.FromSeconds(20);

    [Fact]
    [Trait("Threat", "api-server-outage")]
    public async Task API_server_outage_of_thirty_seconds_fails_no_request_and_no_stream()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be disconnected on demand");

        // Both wait most of the time.
        await Task.WhenAll(ExpectNoFailureAsync(ofManagement: true), ExpectNoFailureAsync(ofManagement: false));
    }

    private async Task ExpectNoFailureAsync(bool ofManagement)
    {
        await using var fixture = await SystemFixture.StartAsync(
            proxies: ProxyKind.Envoy,
            configure: options =>
                options with
                {
                    Ccm = ccm => ccm with { EnableLeaderElection = true, LeaderElectionNamespace = "kubelb" },
                    Manager = manager => manager with { EnableLeaderElection = true },
                }
        );
        await fixture.ApplyBasicExampleAsync();
        var manager = fixture.Sandbox.Manager.Host!;
        var ccm = fixture.Sandbox.Tenants[0].Ccm.Host!;
        var streams = StreamsOf(manager);
        streams.Should().NotBeEmpty();
        await using var load = await GatewayLoad.StartAsync(fixture, perSecond: 100);
        var server = ((EmbeddedTestCluster)(ofManagement ? fixture.Sandbox.Management : fixture.Sandbox.Tenants[0].Cluster)).Server;

        using (server.Faults.Partition(r => r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal)))
        {
            // The outage itself is tested; there is no condition to wait for.
            await Task.Delay(Outage);
            var lost = (ofManagement ? manager : ccm).Services.GetRequiredService<ILeadership>();
            await Eventually.HoldsAsync(() => Task.FromResult(!lost.IsLeader), "the lease is lost");
            await fixture.Tenant.PatchAsync<HttpRoute>(
                "default",
                "api-route",
                """{"spec":{"hostnames":["api.example.com","new.example.com"]}}"""
            );
        }

        var watch = Stopwatch.StartNew();
        await fixture.ExpectBackendAsync("new.example.com");
        output.WriteLine(
            $"outage of {(ofManagement ? "management" : "tenant")} cluster: the edit is served {watch.Elapsed.TotalSeconds:0.0} s after it"
        );
        watch.Elapsed.Should().BeLessThan(Return);
        var failures = await load.StopAsync();
        failures.Should().BeEmpty("{0} requests were sent", load.Sent);
        StreamsOf(manager).Should().Equal(streams);
        fixture.Sandbox.Manager.Host.Should().BeSameAs(manager);
        manager.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested.Should().BeFalse();
        ccm.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested.Should().BeFalse();
    }

    private static List<long> StreamsOf(IHost manager) =>
        [.. manager.Services.GetRequiredService<XdsStreams>().Describe().Select(s => s.Stream.Id)];
}
