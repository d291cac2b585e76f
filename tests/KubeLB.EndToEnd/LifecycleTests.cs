using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd;

/// <summary>What is deleted leaves nothing behind, on either side.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task A_deleted_route_leaves_nothing_behind()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await bed.InventoryAsync();

        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.DeleteAsync<V1Service>("default", "api-backend");

        await bed.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task A_deleted_gateway_takes_the_routes_out_of_service_and_leaves_nothing_behind()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Documents.Backend);
        var before = await bed.InventoryAsync();
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await bed.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");

        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Status?.Parents is not { Count: > 0 },
            "has no parent any more"
        );
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task A_deleted_service_takes_its_twin_and_its_generated_service_along()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.DeleteAsync<V1Service>("default", "api-backend");

        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await bed.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "says that its backend is missing"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("BackendNotFound");
        Statuses.Condition(route, "ResolvedRefs")!.Message.Should().Contain("default/api-backend");
    }

    [Fact]
    public async Task A_route_moved_to_a_gateway_that_is_not_ours_is_cleaned_up()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"somebody-elses"}]}}""");

        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await bed.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
    }

    [Fact]
    public async Task A_gateway_given_to_another_class_is_cleaned_up_and_claims_nothing()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", """{"spec":{"gatewayClassName":"somebody-elses"}}""");

        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses is not { Count: > 0 },
            "is released"
        );
        gateway.Status!.Listeners.Should().BeNullOrEmpty();
        gateway.Status.Conditions.Should().OnlyContain(c => c.Status == "Unknown" && c.Reason == "Pending");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
        await Eventually.GetAsync("no Route is left", () => bed.Management.ListAsync<Route>("tenant-t1"), routes => routes.Count == 0);
        (await bed.Management.ListAsync<Gateway>("tenant-t1")).Should().BeEmpty();
    }

    [Fact]
    public async Task Of_two_routes_that_share_a_service_the_other_keeps_the_twin_and_its_node_port()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "other-route").Replace("api.example.com", "other.example.com"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "other-route", Statuses.IsAccepted, "is accepted");
        var twin = await bed.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport");

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");

        var after = await bed.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport");
        after!.Metadata.Uid.Should().Be(twin!.Metadata.Uid);
        after.Spec.Ports.Single().NodePort.Should().Be(twin.Spec.Ports.Single().NodePort);
        await bed.ExpectBackendAsync("other.example.com");
    }

    [Fact]
    public async Task A_deleted_tenant_takes_its_routes_and_its_namespace_along()
    {
        await using var bed = await SystemFixture.StartAsync();
        Assert.SkipUnless(bed.Features.HasFlag(ClusterFeatures.Controllers), ClusterFeatureReasons.NoControllers);
        await bed.ApplyBasicExampleAsync();
        foreach (var i in Enumerable.Range(0, 10))
        {
            await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
            await bed.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await bed.Management.DeleteAsync<Tenant>("", "t1");

        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
        await bed.Management.WaitGoneAsync<V1Namespace>("", "tenant-t1");
    }

    [Fact]
    public async Task A_generated_service_that_somebody_deletes_comes_back_with_its_port()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var before = (await bed.Management.GetAsync<V1Service>("tenant-t1", "default-api-route-api-backend"))!;

        await bed.Management.DeleteAsync<V1Service>("tenant-t1", "default-api-route-api-backend");

        var after = await bed.Management.WaitAsync<V1Service>(
            "tenant-t1",
            "default-api-route-api-backend",
            s => s.Metadata.Uid != before.Metadata.Uid,
            "is there again"
        );
        after.Spec.Ports.Single().TargetPort.Value.Should().Be(before.Spec.Ports.Single().TargetPort.Value);
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_generated_route_that_somebody_edits_is_repaired()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Management.PatchAsync<HttpRoute>("tenant-t1", "default-api-route", """{"spec":{"hostnames":["hijacked.example.com"]}}""");

        await bed.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => r.Hostnames.SequenceEqual(["api.example.com"]),
            "has its host name back"
        );
    }
}
