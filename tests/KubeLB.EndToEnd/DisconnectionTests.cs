using KubeLB.Api.GatewayApi;
using KubeLB.Ccm;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Clusters;
using KubeLB.TestClusters.Embedded;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>A tenant that is cut off from the management cluster: what was true stands, traffic flows, and nothing is lost.</summary>
public sealed class DisconnectionTests
{
    [Fact]
    public async Task Cut_off_statuses_stand_and_traffic_flows_and_afterwards_what_was_done_meanwhile_is_done()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be cut off on demand");
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "goes").Replace("api.example.com", "goes.example.com"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "goes", Statuses.IsAccepted, "is accepted");
        await bed.SettleAsync();
        var gateway = (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.ResourceVersion;
        var route = (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.ResourceVersion;
        var management = (EmbeddedTestCluster)bed.Sandbox.Management;
        var toManagement = bed.Sandbox.Tenants[0].Ccm.Host!.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Management);

        using (management.Server.Faults.Partition(r => r.UserAgent.StartsWith("kubelb-ccm", StringComparison.Ordinal)))
        {
            await Eventually.HoldsAsync("the CCM notices", () => Task.FromResult(toManagement.IsReachable == false));
            await bed.Tenant.DeleteAsync<HttpRoute>("default", "goes");
            await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "comes").Replace("api.example.com", "comes.example.com"));
            (await bed.Tenant.GetAsync<HttpRoute>("default", "goes")).Should().BeNull("nothing holds it");
            await bed.ExpectBackendAsync("goes.example.com");
            (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.ResourceVersion.Should().Be(gateway);
            (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.ResourceVersion.Should().Be(route);
            await bed.ExpectBackendAsync("api.example.com");
        }

        await bed.Tenant.WaitAsync<HttpRoute>("default", "comes", Statuses.IsAccepted, "is accepted");
        await bed.ExpectBackendAsync("comes.example.com");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-goes");
    }
}
