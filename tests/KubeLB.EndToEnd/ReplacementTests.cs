using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>An object that is deleted and applied again under its name is served under the generated name that it had.</summary>
public sealed class ReplacementTests
{
    [Fact]
    public async Task A_gateway_that_is_deleted_and_applied_again_keeps_its_generated_object_and_its_address_a_hundred_times()
    {
        await using var bed = await TestBed.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var address = await bed.AddressAsync();
        var generated = (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!.Metadata.Uid;

        for (var i = 0; i < 100; i++)
        {
            var before = (await bed.Tenant.GetAsync<Gateway>("default", "my-gateway"))!.Metadata.Uid;
            await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");
            await bed.Tenant.ApplyAsync(Documents.Gateway);
            var after = await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", g => g.Metadata.Uid != before && Statuses.IsProgrammed(g), "is programmed again");
            after.Status!.Addresses.Should().ContainSingle().Which.Value.Should().Be(address);
        }

        (await bed.Management.ListAsync<Gateway>("tenant-t1")).Should().ContainSingle()
            .Which.Metadata.Should().Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-my-gateway" && m.Uid == generated);
        await Eventually.GetAsync("one Route each is left", () => bed.Management.ListAsync<Route>("tenant-t1"), routes => routes.Count == 2);
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_route_that_is_deleted_and_applied_again_keeps_its_generated_objects_a_hundred_times()
    {
        await using var bed = await TestBed.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var generated = (await bed.Management.GetAsync<HttpRoute>("tenant-t1", "default-api-route"))!.Metadata.Uid;
        var service = (await bed.Management.GetAsync<k8s.Models.V1Service>("tenant-t1", "default-api-route-api-backend"))!;

        for (var i = 0; i < 100; i++)
        {
            var before = (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
            await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
            await bed.Tenant.ApplyAsync(Documents.Route);
            await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => r.Metadata.Uid != before && Statuses.IsAccepted(r) && Statuses.IsResolved(r), "is served again");
            await bed.ExpectBackendAsync("api.example.com");
        }

        (await bed.Management.ListAsync<HttpRoute>("tenant-t1")).Should().ContainSingle()
            .Which.Metadata.Should().Match<k8s.Models.V1ObjectMeta>(m => m.Name == "default-api-route" && m.Uid == generated);
        var after = (await bed.Management.ListAsync<k8s.Models.V1Service>("tenant-t1")).Where(s => s.Metadata.Name.StartsWith("default-", StringComparison.Ordinal)).ToList();
        after.Should().ContainSingle().Which.Metadata.Uid.Should().Be(service.Metadata.Uid);
        after[0].Spec.Ports.Single().TargetPort.Value.Should().Be(service.Spec.Ports.Single().TargetPort.Value);
        await Eventually.GetAsync("one Route each is left", () => bed.Management.ListAsync<Route>("tenant-t1"), routes => routes.Count == 2);
    }
}
