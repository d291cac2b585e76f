using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>The tenant's objects are the tenant's: a CCM that is stopped or uninstalled holds none of them.</summary>
public sealed class UninstallTests
{
    [Fact]
    public async Task With_the_ccm_stopped_deletions_finish_at_once_and_after_its_start_nothing_is_left()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.SettleAsync();
        var before = await bed.InventoryAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.ExpectBackendAsync("api.example.com");
        (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Finalizers.Should().BeNullOrEmpty();
        (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Finalizers.Should().BeNullOrEmpty();
        (await bed.Tenant.GetAsync<V1Service>("default", "api-backend"))!.Metadata.Finalizers.Should().BeNullOrEmpty();

        await bed.StopCcmAsync();
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await bed.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route")).Should().BeNull();
        (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway")).Should().BeNull();
        (await bed.Management.ListAsync<Route>("tenant-t1")).Should().HaveCount(2, "nobody removed them yet");

        await bed.StartCcmAsync();
        await Eventually.GetAsync(
            "the management cluster has no Route",
            () => bed.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 0
        );
        await bed.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await bed.Tenant.DeleteAsync<V1Deployment>("default", "api");
        await bed.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Finalizers_of_an_earlier_ccm_are_taken_off_what_is_served()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.StopCcmAsync();
        const string Held = """{"metadata":{"finalizers":["kubelb.k8c.io/cleanup","example.com/theirs"]}}""";
        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", Held);
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", Held);
        await bed.Tenant.PatchAsync<V1Service>("default", "api-backend", Held);

        await bed.StartCcmAsync();

        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", g => HasTheirsOnly(g.Metadata), "is not held by us");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => HasTheirsOnly(r.Metadata), "is not held by us");
        await bed.Tenant.WaitAsync<V1Service>("default", "api-backend", s => HasTheirsOnly(s.Metadata), "is not held by us");
        await bed.ExpectBackendAsync("api.example.com");

        static bool HasTheirsOnly(V1ObjectMeta metadata) => metadata.Finalizers is ["example.com/theirs"];
    }
}
