using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Objects of a deleted Tenant report it, and are served again once the Tenant is recreated.</summary>
public sealed class RegistrationTests
{
    // The manager revokes the access before it deletes the namespace: first the RoleBinding, then the token. The CCM's next creation is
    // forbidden if it is sent between the two deletions; after both, its credentials are invalid.
    private static readonly (string Reason, string Message)[] RevokedAccess =
    [
        (
            "ManagementClusterRejected",
            "The management cluster forbids this cluster to create routes.kubelb.k8c.io for Tenant t1. "
                + "Ask its administrator whether the Tenant exists, and for its current kubeconfig."
        ),
        (
            "ManagementClusterRejected",
            "The management cluster rejected the credentials of this cluster. "
                + "Ask its administrator for the current kubeconfig of Tenant t1."
        ),
    ];

    [Fact]
    public async Task Objects_of_a_deleted_tenant_are_not_programmed_until_it_is_recreated()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Management.DeleteAsync<Tenant>("", "t1");

        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Programmed(g) is { Status: "False" },
            "is not programmed"
        );
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
        Programmed(gateway)!.Reason.Should().Be("NoResources");
        var accepted = gateway.Status.Conditions!.Single(c => c.Type == "Accepted");
        RevokedAccess.Should().Contain((accepted.Reason, accepted.Message));
        Programmed(gateway)!.Message.Should().Be(accepted.Message);
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is not accepted"
        );
        var rejected = Statuses.Condition(route, "Accepted")!;
        RevokedAccess.Should().Contain((rejected.Reason, rejected.Message));

        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        await fixture.Management.ApplyAsync("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: t1\nspec: {}\n");

        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed again");
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted again"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Objects_of_a_deleted_tenant_can_be_deleted()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");

        await fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
        await fixture.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");
    }

    [Fact]
    public async Task New_Gateways_of_a_deleted_tenant_report_it_with_few_requests()
    {
        const int Gateways = 30;
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Management.DeleteAsync<Tenant>("", "t1");
        await fixture.Management.WaitGoneAsync<Tenant>("", "t1");
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is not accepted"
        );
        fixture.ForgetRequests();

        for (var i = 0; i < Gateways; i++)
        {
            await fixture.Tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", $"g{i}"));
        }

        for (var i = 0; i < Gateways; i++)
        {
            await fixture.Tenant.WaitAsync<Gateway>(
                "default",
                $"g{i}",
                g => Programmed(g) is { Status: "False", Reason: "NoResources" },
                "reports it"
            );
        }

        var (_, management) = fixture.CcmWrites();
        management
            .Count(w => w.Contains("routes", StringComparison.Ordinal))
            .Should()
            .BeLessThan(Gateways / 2, string.Join("; ", management));
    }

    private static Condition? Programmed(Gateway gateway) => gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Programmed");
}
