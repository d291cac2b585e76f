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

/// <summary>An object that is deleted and applied again under its name is served under the generated name that it had.</summary>
public sealed class ReplacementTests
{
    [Fact]
    public async Task A_gateway_that_is_deleted_and_applied_again_keeps_its_generated_object_and_its_address_a_hundred_times()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var address = await bed.AddressAsync();
        var generated = (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid;

        for (var i = 0; i < 100; i++)
        {
            var before = (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;
            await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
            await bed.Tenant.ApplyAsync(Documents.Gateway);
            var after = await bed.Tenant.WaitAsync<Gateway>(
                "default",
                "my-gateway",
                g => g.Metadata.Uid != before && Statuses.IsProgrammed(g),
                "is programmed again"
            );
            after.Status!.Addresses.Should().ContainSingle().Which.Value.Should().Be(address);
        }

        (await bed.Management.ListAsync<Gateway>("tenant-t1"))
            .Should()
            .ContainSingle()
            .Which.Metadata.Should()
            .Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-my-gateway" && m.Uid == generated);
        await Eventually.GetAsync(
            "one Route each is left",
            () => bed.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 2
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_route_that_is_deleted_and_applied_again_keeps_its_generated_objects_a_hundred_times()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var generated = (await bed.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid;
        var service = (await bed.Management.GetAsync<k8s.Models.V1Service>("tenant-t1", "default-api-route-api-backend"))!;

        for (var i = 0; i < 100; i++)
        {
            var before = (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
            await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
            await bed.Tenant.ApplyAsync(Documents.Route);
            await bed.Tenant.WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => r.Metadata.Uid != before && Statuses.IsAccepted(r) && Statuses.IsResolved(r),
                "is served again"
            );
            await bed.ExpectBackendAsync("api.example.com");
        }

        (await bed.Management.ListAsync<HttpRoute>("tenant-t1"))
            .Should()
            .ContainSingle()
            .Which.Metadata.Should()
            .Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-api-route" && m.Uid == generated);
        var after = (await bed.Management.ListAsync<k8s.Models.V1Service>("tenant-t1"))
            .Where(s => s.Metadata.Name.StartsWith("default-", StringComparison.Ordinal))
            .ToList();
        after.Should().ContainSingle().Which.Metadata.Uid.Should().Be(service.Metadata.Uid);
        after[0].Spec.Ports.Single().TargetPort.Value.Should().Be(service.Spec.Ports.Single().TargetPort.Value);
        await Eventually.GetAsync(
            "one Route each is left",
            () => bed.Management.ListAsync<Route>("tenant-t1"),
            routes => routes.Count == 2
        );
    }

    [Fact]
    public async Task At_the_tenants_limits_a_gateway_and_a_route_that_are_deleted_and_applied_again_keep_what_was_generated()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"gateway":{"limit":1},"route":{"limit":1}}}}""");
        await bed.ApplyBasicExampleAsync();
        var address = await bed.AddressAsync();
        var gateway = (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid;
        var route = (await bed.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid;

        await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.ApplyAsync(Documents.Route);

        (await bed.AddressAsync()).Should().Be(address);
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => Statuses.IsAccepted(r) && Statuses.IsResolved(r), "is served");
        await bed.ExpectBackendAsync("api.example.com");
        (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid.Should().Be(gateway);
        (await bed.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid.Should().Be(route);
    }

    [Fact]
    public async Task A_tenant_that_exchanges_successors_that_are_rejected_keeps_the_old_objects_for_a_bounded_time()
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
        await bare.Objects.CreateAsync(CarriedRoutes.Gateway(Namespace));
        await bare.Objects.CreateAsync(CarriedRoutes.Http(Namespace, "web"));
        await bare.Objects.WaitAsync<HttpRoute>(Namespace, "default-web", _ => true, "is generated");

        await SucceedAsync("successor-0");
        await bare.Objects.DeleteAsync<Route>(Namespace, "web");
        await TouchAsync();
        (await bare.Objects.GetAsync<HttpRoute>(Namespace, "default-web")).Should().NotBeNull("its successor may still take it over");
        for (var i = 0; i < 4; i++)
        {
            // Never long enough for a single successor.
            clock.Forward(Delays.Inheritance * 2 / 3);
            await bare.Objects.DeleteAsync<Route>(Namespace, $"successor-{i}");
            await TouchAsync();
            await SucceedAsync($"successor-{i + 1}");
            await TouchAsync();
        }

        await bare.Objects.WaitGoneAsync<HttpRoute>(Namespace, "default-web");

        async Task SucceedAsync(string name)
        {
            var successor = CarriedRoutes.Http(Namespace, "web");
            successor.Metadata.Name = name;
            successor.Change(k => k.Resource!["apiVersion"] = "example.com/v9");
            await bare.Objects.CreateAsync(successor);
            await bare.Objects.WaitAsync<Route>(Namespace, name, r => r.Status?.Conditions is { Count: > 0 }, "is rejected");
        }

        // The manager reconciles the old one again, if it still exists.
        async Task TouchAsync()
        {
            try
            {
                await bare.Objects.PatchAsync<Route>(Namespace, "web", $$"""{"metadata":{"labels":{"touched":"{{Guid.NewGuid()}}"} } }""");
            }
            catch (HttpOperationException e) when (e.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
            {
                // The manager has released it by now, which is what the test is about.
            }
        }
    }
}
