using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Deleted objects are cleaned up in both clusters.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task Deleted_route_leaves_no_objects()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        var before = await fixture.InventoryAsync();

        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.DeleteAsync<V1Service>("default", "api-backend");

        await fixture.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Deleted_Gateway_detaches_its_routes_and_leaves_no_objects()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        var before = await fixture.InventoryAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await fixture.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Status?.Parents is not { Count: > 0 },
            "has no parent any more"
        );
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Deleted_Service_loses_its_node_port_Service_and_generated_Service()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.DeleteAsync<V1Service>("default", "api-backend");

        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "ResolvedRefs") is { Status: "False" },
            "reports the missing backend"
        );
        Statuses.Condition(route, "ResolvedRefs")!.Reason.Should().Be("BackendNotFound");
        Statuses.Condition(route, "ResolvedRefs")!.Message.Should().Contain("default/api-backend");
    }

    [Fact]
    public async Task Route_moved_to_a_foreign_Gateway_is_cleaned_up_and_released()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"not-managed"}]}}""");

        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await fixture.Tenant.WaitGoneAsync<V1Service>("default", "api-backend-nodeport");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
    }

    [Fact]
    public async Task Gateway_moved_to_another_class_is_cleaned_up_and_released()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", """{"spec":{"gatewayClassName":"not-managed"}}""");

        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Addresses is not { Count: > 0 },
            "is released"
        );
        gateway.Status!.Listeners.Should().BeNullOrEmpty();
        gateway.Status.Conditions.Should().OnlyContain(c => c.Status == "Unknown" && c.Reason == "Pending");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Status?.Parents is not { Count: > 0 }, "is released");
        await Eventually.GetAsync("no Route is left", () => fixture.Management.ListAsync<Route>("tenant-t1"), routes => routes.Count == 0);
        (await fixture.Management.ListAsync<Gateway>("tenant-t1")).Should().BeEmpty();
    }

    [Fact]
    public async Task Node_port_Service_is_kept_while_another_route_uses_it()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.ApplyAsync(
            Documents.Route.Replace("api-route", "other-route").Replace("api.example.com", "other.example.com")
        );
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "other-route", Statuses.IsAccepted, "is accepted");
        var nodePortService = await fixture.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport");

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");

        var after = await fixture.Tenant.GetAsync<V1Service>("default", "api-backend-nodeport");
        after!.Metadata.Uid.Should().Be(nodePortService!.Metadata.Uid);
        after.Spec.Ports.Single().NodePort.Should().Be(nodePortService.Spec.Ports.Single().NodePort);
        await fixture.ExpectBackendAsync("other.example.com");
    }

    [Fact]
    public async Task Deleted_Tenant_loses_its_Routes_and_namespace()
    {
        await using var fixture = await SystemFixture.StartAsync();
        Assert.SkipUnless(fixture.Features.HasFlag(ClusterFeatures.Controllers), ClusterFeatureReasons.NoControllers);
        await fixture.ApplyBasicExampleAsync();
        foreach (var i in Enumerable.Range(0, 10))
        {
            await fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
            await fixture.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await fixture.Management.DeleteAsync<Tenant>("", "t1");

        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        await fixture.Management.WaitGoneAsync<V1Namespace>("", "tenant-t1");
    }

    [Fact]
    public async Task Deleted_generated_Service_is_recreated_with_its_port()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var before = (await fixture.Management.GetAsync<V1Service>("tenant-t1", "default-api-route-api-backend"))!;

        await fixture.Management.DeleteAsync<V1Service>("tenant-t1", "default-api-route-api-backend");

        var after = await fixture.Management.WaitAsync<V1Service>(
            "tenant-t1",
            "default-api-route-api-backend",
            s => s.Metadata.Uid != before.Metadata.Uid,
            "is recreated"
        );
        after.Spec.Ports.Single().TargetPort.Value.Should().Be(before.Spec.Ports.Single().TargetPort.Value);
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Edited_generated_route_is_reverted()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Management.PatchAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            """{"spec":{"hostnames":["hijacked.example.com"]}}"""
        );

        await fixture.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => r.Hostnames.SequenceEqual(["api.example.com"]),
            "has its hostname again"
        );
    }
}
