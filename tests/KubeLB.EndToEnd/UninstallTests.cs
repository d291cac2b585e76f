using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A stopped or uninstalled CCM does not block the deletion of the tenant's objects.</summary>
public sealed class UninstallTests
{
    [Fact]
    public async Task Deletions_with_a_stopped_CCM_finish_at_once_and_are_synced_later()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.SettleAsync();
        var before = await fixture.InventoryAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.ExpectBackendAsync("api.example.com");
        (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Finalizers.Should().BeNullOrEmpty();
        (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Finalizers.Should().BeNullOrEmpty();
        (await fixture.Tenant.GetAsync<V1Service>("default", "api-backend"))!.Metadata.Finalizers.Should().BeNullOrEmpty();

        await fixture.StopCcmAsync();
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await fixture.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route")).Should().BeNull();
        (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway")).Should().BeNull();
        (await fixture.Management.ListAsync<Route>("tenant-t1")).Should().HaveCount(2, "the CCM has not removed them yet");

        await fixture.StartCcmAsync();
        await Eventually.GetAsync(
            "the management cluster has no Route",
            () => fixture.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 0
        );
        await fixture.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await fixture.Tenant.DeleteAsync<V1Deployment>("default", "api");
        await fixture.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Finalizers_of_an_earlier_CCM_are_removed()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.StopCcmAsync();
        const string Held = """{"metadata":{"finalizers":["kubelb.k8c.io/cleanup","example.com/theirs"]}}""";
        await fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", Held);
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", Held);
        await fixture.Tenant.PatchAsync<V1Service>("default", "api-backend", Held);

        await fixture.StartCcmAsync();

        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => HasOnlyForeignFinalizer(g.Metadata),
            "has no finalizer of the CCM"
        );
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => HasOnlyForeignFinalizer(r.Metadata),
            "has no finalizer of the CCM"
        );
        await fixture.Tenant.WaitAsync<V1Service>(
            "default",
            "api-backend",
            s => HasOnlyForeignFinalizer(s.Metadata),
            "has no finalizer of the CCM"
        );
        await fixture.ExpectBackendAsync("api.example.com");

        static bool HasOnlyForeignFinalizer(V1ObjectMeta metadata) => metadata.Finalizers is ["example.com/theirs"];
    }
}
