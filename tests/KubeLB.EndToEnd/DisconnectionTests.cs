using KubeLB.Api.GatewayApi;
using KubeLB.Ccm;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Clusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>A tenant disconnected from the management cluster keeps its status and traffic, and loses no change.</summary>
public sealed class DisconnectionTests
{
    [Fact]
    public async Task Disconnected_tenant_keeps_status_and_traffic_and_syncs_after_reconnection()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be disconnected on demand");
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "goes").Replace("api.example.com", "goes.example.com"));
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "goes", Statuses.IsAccepted, "is accepted");
        await fixture.SettleAsync();
        var gateway = (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.ResourceVersion;
        var route = (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.ResourceVersion;
        var management = (EmbeddedTestCluster)fixture.Sandbox.Management;
        var toManagement = fixture.Sandbox.Tenants[0].Ccm.Host!.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Management);

        using (management.Server.Faults.Partition(r => r.UserAgent.StartsWith("kubelb-ccm", StringComparison.Ordinal)))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(toManagement.IsReachable == false), "the CCM detects the disconnection");
            await fixture.Tenant.DeleteAsync<HttpRoute>("default", "goes");
            await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "comes").Replace("api.example.com", "comes.example.com"));
            (await fixture.Tenant.GetAsync<HttpRoute>("default", "goes")).Should().BeNull("it has no finalizer");
            await fixture.ExpectBackendAsync("goes.example.com");
            (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.ResourceVersion.Should().Be(gateway);
            (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.ResourceVersion.Should().Be(route);
            await fixture.ExpectBackendAsync("api.example.com");
        }

        await fixture.Tenant.WaitAsync<HttpRoute>("default", "comes", Statuses.IsAccepted, "is accepted");
        await fixture.ExpectBackendAsync("comes.example.com");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-goes");
    }
}
