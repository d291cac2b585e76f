using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>An etcd that is restored from a backup: both processes converge to the restored state, without a restart.</summary>
public sealed class RestoredStorageTests
{
    [Fact]
    public async Task Restored_management_cluster_is_updated_to_the_tenants_objects()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be restored on demand");
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "goes").Replace("api.example.com", "goes.example.com"));
        await fixture.ExpectBackendAsync("goes.example.com");
        await fixture.SettleAsync();
        var cluster = (EmbeddedTestCluster)fixture.Sandbox.Management;
        var backup = cluster.Server.Faults.TakeSnapshot();

        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "later").Replace("api.example.com", "later.example.com"));
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["edited.example.com"]}}""");
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "goes");
        await fixture.ExpectBackendAsync("later.example.com");
        await fixture.ExpectBackendAsync("edited.example.com");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-goes");
        await fixture.SettleAsync();
        await RestoreAsync(cluster, backup);

        await ExpectedState.ExpectAsync(fixture, "the restore");
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "later", """{"spec":{"hostnames":["again.example.com"]}}""");
        await fixture.ExpectBackendAsync("again.example.com");
        await ExpectedState.ExpectAsync(fixture, "an edit after the restore");
    }

    [Fact]
    public async Task Restored_tenant_cluster_is_served_in_its_restored_state()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be restored on demand");
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "back").Replace("api.example.com", "back.example.com"));
        await fixture.ExpectBackendAsync("back.example.com");
        await fixture.SettleAsync();
        var cluster = (EmbeddedTestCluster)fixture.Sandbox.Tenants[0].Cluster;
        var backup = cluster.Server.Faults.TakeSnapshot();

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "back");
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "lost").Replace("api.example.com", "lost.example.com"));
        await fixture.ExpectBackendAsync("lost.example.com");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-back");
        await fixture.SettleAsync();
        await RestoreAsync(cluster, backup);

        await ExpectedState.ExpectAsync(fixture, "the restore");
        await fixture.ExpectBackendAsync("back.example.com");

        // A restored object with its old UID is reconciled when it is edited.
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "back", """{"spec":{"hostnames":["edited.example.com"]}}""");
        await fixture.ExpectBackendAsync("edited.example.com");
        await ExpectedState.ExpectAsync(fixture, "an edit after the restore");
        (await fixture.Tenant.GetAsync<HttpRoute>("default", "lost")).Should().BeNull();
    }

    // An API server is stopped while its etcd is restored: each client sends at least one request meanwhile, which fails.
    private static async Task RestoreAsync(EmbeddedTestCluster cluster, ClusterSnapshot backup)
    {
        var watched = cluster.Requests().Where(r => r.Verb == "watch" && r.UserAgent != "test").Select(Client).ToHashSet();
        using (cluster.Server.Faults.Partition(r => r.UserAgent != "test"))
        {
            var away = DateTimeOffset.UtcNow;
            cluster.Server.Faults.RestoreSnapshot(backup);
            await Eventually.GetAsync(
                "all clients sent a request",
                () => Task.FromResult(watched.Except(cluster.Requests().Where(r => r.Time > away).Select(Client)).ToList()),
                left => left.Count == 0,
                left => "not: " + string.Join(", ", left)
            );
        }
    }

    private static string Client(RequestRecord request) => $"{request.UserAgent} {request.Resource}";
}
