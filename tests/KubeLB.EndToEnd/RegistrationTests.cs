using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A tenant that the management cluster no longer knows is told so, and goes on where it was when it is known again.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task Of_a_deleted_tenant_gateways_and_routes_claim_nothing_and_a_new_one_serves_them_again()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Management.DeleteAsync<Tenant>("", "t1");

        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Programmed(g) is { Status: "False" },
            "is not programmed"
        );
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
        Programmed(gateway)!.Reason.Should().Be("NoResources");
        Programmed(gateway)!.Message.Should().Contain("Tenant t1").And.Contain("Ask its administrator");
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is not accepted"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("Pending");
        Statuses.Condition(route, "Accepted")!.Message.Should().Contain("Tenant t1").And.Contain("Ask its administrator");

        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
        await bed.Management.ApplyAsync("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: t1\nspec: {}\n");

        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed again");
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted again"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Of_a_deleted_tenant_everything_can_be_deleted()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");

        await bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await bed.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");
    }

    [Fact]
    public async Task Of_a_deleted_tenant_new_gateways_ask_in_the_name_of_each_other_and_each_is_told()
    {
        const int Gateways = 30;
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Management.DeleteAsync<Tenant>("", "t1");
        await bed.Management.WaitGoneAsync<Tenant>("", "t1");
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is not accepted"
        );
        bed.ForgetRequests();

        for (var i = 0; i < Gateways; i++)
        {
            await bed.Tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", $"g{i}"));
        }

        for (var i = 0; i < Gateways; i++)
        {
            await bed.Tenant.WaitAsync<Gateway>(
                "default",
                $"g{i}",
                g => Programmed(g) is { Status: "False", Reason: "NoResources" },
                "is told"
            );
        }

        var (_, management) = bed.CcmWrites();
        management
            .Count(w => w.Contains("routes", StringComparison.Ordinal))
            .Should()
            .BeLessThan(Gateways / 2, string.Join("; ", management));
    }

    private static Condition? Programmed(Gateway gateway) => gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Programmed");
}
