using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;

namespace KubeLB.EndToEnd;

/// <summary>An etcd that is restored from a backup: both processes converge on what the restored clusters say, without a restart.</summary>
public sealed class RestoredStorageTests
{
    [Fact]
    public async Task A_management_cluster_that_is_restored_is_brought_up_to_the_tenants_objects()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be restored on demand");
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "goes").Replace("api.example.com", "goes.example.com"));
        await bed.ExpectBackendAsync("goes.example.com");
        await bed.SettleAsync();
        var cluster = (EmbeddedTestCluster)bed.Sandbox.Management;
        var backup = cluster.Server.Faults.TakeSnapshot();

        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "later").Replace("api.example.com", "later.example.com"));
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["edited.example.com"]}}""");
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "goes");
        await bed.ExpectBackendAsync("later.example.com");
        await bed.ExpectBackendAsync("edited.example.com");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-goes");
        await bed.SettleAsync();
        await RestoreAsync(cluster, backup);

        await DescribedState.ExpectAsync(bed, "the restore");
        await bed.Tenant.PatchAsync<HttpRoute>("default", "later", """{"spec":{"hostnames":["again.example.com"]}}""");
        await bed.ExpectBackendAsync("again.example.com");
        await DescribedState.ExpectAsync(bed, "an edit after the restore");
    }

    [Fact]
    public async Task A_tenants_cluster_that_is_restored_is_served_as_it_is_now()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can be restored on demand");
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "back").Replace("api.example.com", "back.example.com"));
        await bed.ExpectBackendAsync("back.example.com");
        await bed.SettleAsync();
        var cluster = (EmbeddedTestCluster)bed.Sandbox.Tenants[0].Cluster;
        var backup = cluster.Server.Faults.TakeSnapshot();

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "back");
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "lost").Replace("api.example.com", "lost.example.com"));
        await bed.ExpectBackendAsync("lost.example.com");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-back");
        await bed.SettleAsync();
        await RestoreAsync(cluster, backup);

        await DescribedState.ExpectAsync(bed, "the restore");
        await bed.ExpectBackendAsync("back.example.com");

        // An object that came back with its old uid is followed when it is edited.
        await bed.Tenant.PatchAsync<HttpRoute>("default", "back", """{"spec":{"hostnames":["edited.example.com"]}}""");
        await bed.ExpectBackendAsync("edited.example.com");
        await DescribedState.ExpectAsync(bed, "an edit after the restore");
        (await bed.Tenant.GetAsync<HttpRoute>("default", "lost")).Should().BeNull();
    }

    // An API server is stopped while its etcd is restored: each client asks at least once meanwhile, and gets no answer.
    private static async Task RestoreAsync(EmbeddedTestCluster cluster, ClusterSnapshot backup)
    {
        var watched = cluster.Requests().Where(r => r.Verb == "watch" && r.UserAgent != "test").Select(Client).ToHashSet();
        using (cluster.Server.Faults.Partition(r => r.UserAgent != "test"))
        {
            var away = DateTimeOffset.UtcNow;
            cluster.Server.Faults.RestoreSnapshot(backup);
            await Eventually.GetAsync(
                "all clients noticed",
                () => Task.FromResult(watched.Except(cluster.Requests().Where(r => r.Time > away).Select(Client)).ToList()),
                left => left.Count == 0,
                left => "not: " + string.Join(", ", left)
            );
        }
    }

    private static string Client(RequestRecord request) => $"{request.UserAgent} {request.Resource}";
}
