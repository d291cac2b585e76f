using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>The management cluster is reachable, but the tenant is not registered there.</summary>
public sealed class RegistrationTests
{
    private const string NotRegistered = "Tenant t1 is not registered in the management cluster";

    [Fact]
    public async Task Missing_tenant_namespace_is_reported_once_and_recovers_after_its_creation()
    {
        await using var fixture = await CcmFixture.CreateAsync(registered: false);
        await fixture.StartCcmAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "192.0.2.1"));
        await fixture.CreateAsync(TestObjects.Service());
        await fixture.CreateAsync(TestObjects.Gateway());
        await fixture.CreateAsync(TestObjects.Route());

        (await fixture.WaitForProblemAsync(NotRegistered)).Should().StartWith("tenant tenant-t1: ").And.Contain("Ask its administrator");
        var gateway = await CcmFixture.WaitAsync<Gateway>(
            fixture.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Reason: "NoResources" },
            "reports it"
        );
        Of(gateway.Status!.Conditions, "Accepted")
            .Should()
            .Match<Condition>(c => c.Status == "False" && c.Reason == "TenantNotRegistered" && c.Message.Contains(NotRegistered));
        await CcmFixture.WaitAsync<HttpRoute>(
            fixture.Tenant,
            "default",
            "r",
            r => Accepted(r) is { Status: "False", Reason: "TenantNotRegistered" } c && c.Message.Contains(NotRegistered),
            "reports it"
        );
        fixture.Log.Warnings.Where(w => w.Contains(NotRegistered, StringComparison.Ordinal)).Should().ContainSingle();

        await fixture.RegisterAsync();

        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        var route = (await fixture.Tenant.Client<HttpRoute>().GetAsync(new ResourceKey("default", "r"), default))!;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "exists");
        await fixture.WaitReadyAsync();
        await ManagementClusterTests.ProgramAsync(fixture, gateway.Metadata.Uid);
        await CcmFixture.WaitAsync<Gateway>(
            fixture.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Status: "True" },
            "is programmed"
        );
    }

    [Fact]
    public async Task Deleted_tenant_namespace_removes_addresses_and_Programmed()
    {
        await using var fixture = await CcmFixture.StartAsync();
        var created = await fixture.CreateAsync(TestObjects.Gateway());
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, created.Metadata.Uid, _ => true, "exists");
        await ManagementClusterTests.ProgramAsync(fixture, created.Metadata.Uid);
        await CcmFixture.WaitAsync<Gateway>(fixture.Tenant, "default", "gw", g => g.Status?.Addresses is { Count: 1 }, "has its address");

        await fixture.Management.Client<V1Namespace>().DeleteAsync(new ResourceKey("", CcmFixture.Namespace), null, default);

        var gateway = await CcmFixture.WaitAsync<Gateway>(
            fixture.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Status: "False" } c && c.Message.Contains(NotRegistered),
            "reports it"
        );
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
    }

    [Fact]
    public async Task Gateway_of_an_unregistered_tenant_can_be_deleted()
    {
        await using var fixture = await CcmFixture.CreateAsync(registered: false);
        await fixture.StartCcmAsync();
        await fixture.CreateAsync(TestObjects.Gateway());
        await CcmFixture.WaitAsync<Gateway>(fixture.Tenant, "default", "gw", g => g.Status?.Conditions is not null, "has a status");

        await fixture.Tenant.Client<Gateway>().DeleteAsync(new ResourceKey("default", "gw"), null, default);

        await Eventually.GetAsync(
            "it is deleted",
            () => fixture.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default),
            g => g is null
        );
    }

    [Fact]
    public async Task Route_with_disabled_Gateway_controller_reports_the_flag()
    {
        await using var fixture = await CcmFixture.StartAsync(options => options with { DisableGatewayController = true });
        await fixture.CreateAsync(TestObjects.Service());
        await fixture.CreateAsync(TestObjects.Gateway());
        await fixture.CreateAsync(TestObjects.Route());

        var route = await CcmFixture.WaitAsync<HttpRoute>(
            fixture.Tenant,
            "default",
            "r",
            r => Accepted(r) is { Status: "False" },
            "is not accepted"
        );
        Accepted(route)!.Message.Should().Contain("--disable-gateway-controller");
        (await fixture.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!
            .Metadata.Finalizers.Should()
            .BeNullOrEmpty("it is not changed");
    }

    private static Condition? Accepted(HttpRoute route) => Of(route.Status?.Parents.FirstOrDefault()?.Conditions, "Accepted");

    private static Condition? Of(IEnumerable<Condition>? conditions, string type) => conditions?.FirstOrDefault(c => c.Type == type);
}
