using k8s.Autorest;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Routes;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>A recreated object of the same name keeps its generated name.</summary>
public sealed class RecreatedObjectTests
{
    [Fact]
    public async Task Recreated_Gateway_keeps_its_generated_object_and_address_a_hundred_times()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var address = await fixture.AddressAsync();
        var generated = (await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid;

        for (var i = 0; i < 100; i++)
        {
            var before = (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;
            await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
            await fixture.Tenant.ApplyAsync(Documents.Gateway);
            var after = await fixture.Tenant.WaitAsync<Gateway>(
                "default",
                "my-gateway",
                g => g.Metadata.Uid != before && Statuses.IsProgrammed(g),
                "is programmed again"
            );
            after.Status!.Addresses.Should().ContainSingle().Which.Value.Should().Be(address);
        }

        (await fixture.Management.ListAsync<Gateway>("tenant-t1"))
            .Should()
            .ContainSingle()
            .Which.Metadata.Should()
            .Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-my-gateway" && m.Uid == generated);
        await Eventually.GetAsync(
            "one Route each is left",
            () => fixture.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 2
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Recreated_route_keeps_its_generated_objects_a_hundred_times()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var generated = (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid;
        var service = (await fixture.Management.GetAsync<k8s.Models.V1Service>("tenant-t1", "default-api-route-api-backend"))!;

        for (var i = 0; i < 100; i++)
        {
            var before = (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
            await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
            await fixture.Tenant.ApplyAsync(Documents.Route);
            await fixture.Tenant.WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => r.Metadata.Uid != before && Statuses.IsAccepted(r) && Statuses.IsResolved(r),
                "is served again"
            );
            await fixture.ExpectBackendAsync("api.example.com");
        }

        (await fixture.Management.ListAsync<HttpRoute>("tenant-t1"))
            .Should()
            .ContainSingle()
            .Which.Metadata.Should()
            .Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-api-route" && m.Uid == generated);
        var after = (await fixture.Management.ListAsync<k8s.Models.V1Service>("tenant-t1"))
            .Where(s => s.Metadata.Name.StartsWith("default-", StringComparison.Ordinal))
            .ToList();
        after.Should().ContainSingle().Which.Metadata.Uid.Should().Be(service.Metadata.Uid);
        after[0].Spec.Ports.Single().TargetPort.Value.Should().Be(service.Spec.Ports.Single().TargetPort.Value);
        await Eventually.GetAsync(
            "one Route each is left",
            () => fixture.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 2
        );
    }

    [Fact]
    public async Task Recreated_objects_at_the_tenants_quota_keep_their_generated_objects()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"gateway":{"limit":1},"route":{"limit":1}}}}""");
        await fixture.ApplyBasicExampleAsync();
        var address = await fixture.AddressAsync();
        var gateway = (await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid;
        var route = (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid;

        await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.ApplyAsync(Documents.Route);

        (await fixture.AddressAsync()).Should().Be(address);
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served"
        );
        await fixture.ExpectBackendAsync("api.example.com");
        (await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid.Should().Be(gateway);
        (await fixture.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid.Should().Be(route);
    }

    [Fact]
    public async Task Deleted_route_with_rejected_successors_is_removed_after_a_bounded_time()
    {
        const string Namespace = BareManagement.TenantNamespace;
        var clock = new ForwardedClock();
        await using var bare = await BareManagement.StartAsync();
        var manager = await bare.StartManagerAsync(configure: services =>
            services.AddSingleton(host => new RouteSuccession(
                host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name),
                host.GetRequiredService<TenantSettingsResolver>(),
                host.GetRequiredService<ManagerOptions>(),
                clock
            ))
        );
        await bare.AddTenantAsync(manager);
        await bare.SetAddressesAsync("10.7.0.1");
        await bare.Objects.CreateAsync(CcmRoutes.Gateway(Namespace));
        await bare.Objects.CreateAsync(CcmRoutes.Http(Namespace, "web"));
        await bare.Objects.WaitAsync<HttpRoute>(Namespace, "default-web", _ => true, "is generated");

        await SucceedAsync("successor-0");
        await bare.Objects.DeleteAsync<Route>(Namespace, "web");
        await TouchAsync(mayBeReleased: false);
        (await bare.Objects.GetAsync<HttpRoute>(Namespace, "default-web")).Should().NotBeNull("its successor may still adopt it");
        for (var i = 0; i < 4; i++)
        {
            // Never longer than the period of one successor.
            clock.Forward(Delays.Inheritance * 2 / 3);
            await bare.Objects.DeleteAsync<Route>(Namespace, $"successor-{i}");
            await TouchAsync(mayBeReleased: true);
            await SucceedAsync($"successor-{i + 1}");
            await TouchAsync(mayBeReleased: true);
        }

        await bare.Objects.WaitGoneAsync<HttpRoute>(Namespace, "default-web");

        async Task SucceedAsync(string name)
        {
            var successor = CcmRoutes.Http(Namespace, "web");
            successor.Metadata.Name = name;
            successor.Change(k => k.Resource!["apiVersion"] = "example.com/v9");
            await bare.Objects.CreateAsync(successor);
            await bare.Objects.WaitAsync<Route>(Namespace, name, r => r.Status?.Conditions is { Count: > 0 }, "is rejected");
        }

        // The manager reconciles the old one again, if it still exists.
        async Task TouchAsync(bool mayBeReleased)
        {
            try
            {
                await bare.Objects.PatchAsync<Route>(Namespace, "web", $$"""{"metadata":{"labels":{"touched":"{{Guid.NewGuid()}}"} } }""");
            }
            catch (HttpOperationException e) when (mayBeReleased && e.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
            {
                // The manager has released it by now, which the test expects.
            }
        }
    }
}
