using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.Tests.Disconnection;

/// <summary>The management cluster can be reached, and takes nothing of this tenant.</summary>
public sealed class RegistrationTests
{
    private const string NotRegistered = "Tenant t1 is not registered in the management cluster";

    [Fact]
    public async Task Without_the_tenants_namespace_it_says_so_everywhere_once_and_goes_on_when_it_comes()
    {
        await using var bed = await CcmFixture.CreateAsync(registered: false);
        await bed.StartCcmAsync();
        await bed.CreateAsync(Given.Node("n1", "192.0.2.1"));
        await bed.CreateAsync(Given.Service());
        await bed.CreateAsync(Given.Gateway());
        await bed.CreateAsync(Given.Route());

        (await bed.WaitForProblemAsync(NotRegistered)).Should().StartWith("tenant tenant-t1: ").And.Contain("ask its administrator");
        var gateway = await CcmFixture.WaitAsync<Gateway>(
            bed.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Reason: "NoResources" },
            "says so"
        );
        Of(gateway.Status!.Conditions, "Accepted")
            .Should()
            .Match<Condition>(c => c.Status == "False" && c.Reason == "TenantNotRegistered" && c.Message.Contains(NotRegistered));
        await CcmFixture.WaitAsync<HttpRoute>(
            bed.Tenant,
            "default",
            "r",
            r => Accepted(r) is { Status: "False", Reason: "TenantNotRegistered" } c && c.Message.Contains(NotRegistered),
            "says so"
        );
        bed.Log.Warnings.Where(w => w.Contains(NotRegistered, StringComparison.Ordinal)).Should().ContainSingle();

        await bed.RegisterAsync();

        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        var route = (await bed.Tenant.Client<HttpRoute>().GetAsync(new ResourceKey("default", "r"), default))!;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "is carried");
        await bed.WaitReadyAsync();
        await ManagementClusterTests.ProgramAsync(bed, gateway.Metadata.Uid);
        await CcmFixture.WaitAsync<Gateway>(
            bed.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Status: "True" },
            "is programmed"
        );
    }

    [Fact]
    public async Task A_namespace_that_goes_takes_addresses_and_programmed_along()
    {
        await using var bed = await CcmFixture.StartAsync();
        var created = await bed.CreateAsync(Given.Gateway());
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, created.Metadata.Uid, _ => true, "is carried");
        await ManagementClusterTests.ProgramAsync(bed, created.Metadata.Uid);
        await CcmFixture.WaitAsync<Gateway>(bed.Tenant, "default", "gw", g => g.Status?.Addresses is { Count: 1 }, "has its address");

        await bed.Management.Client<V1Namespace>().DeleteAsync(new ResourceKey("", CcmFixture.Namespace), null, default);

        var gateway = await CcmFixture.WaitAsync<Gateway>(
            bed.Tenant,
            "default",
            "gw",
            g => Of(g.Status?.Conditions, "Programmed") is { Status: "False" },
            "is not programmed"
        );
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
        Of(gateway.Status.Conditions, "Programmed")!.Message.Should().Contain(NotRegistered);
    }

    [Fact]
    public async Task What_was_never_taken_can_be_deleted()
    {
        await using var bed = await CcmFixture.CreateAsync(registered: false);
        await bed.StartCcmAsync();
        await bed.CreateAsync(Given.Gateway());
        await CcmFixture.WaitAsync<Gateway>(bed.Tenant, "default", "gw", g => g.Status?.Conditions is not null, "has a status");

        await bed.Tenant.Client<Gateway>().DeleteAsync(new ResourceKey("default", "gw"), null, default);

        await Eventually.GetAsync(
            "it is gone",
            () => bed.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default),
            g => g is null
        );
    }

    [Fact]
    public async Task Where_gateways_are_switched_off_a_route_says_why_nothing_happens()
    {
        await using var bed = await CcmFixture.StartAsync(options => options with { DisableGatewayController = true });
        await bed.CreateAsync(Given.Service());
        await bed.CreateAsync(Given.Gateway());
        await bed.CreateAsync(Given.Route());

        var route = await CcmFixture.WaitAsync<HttpRoute>(
            bed.Tenant,
            "default",
            "r",
            r => Accepted(r) is { Status: "False" },
            "is not accepted"
        );
        Accepted(route)!.Message.Should().Contain("--disable-gateway-controller");
        (await bed.Tenant.Client<Gateway>().GetAsync(new ResourceKey("default", "gw"), default))!
            .Metadata.Finalizers.Should()
            .BeNullOrEmpty("it is left alone");
    }

    private static Condition? Accepted(HttpRoute route) => Of(route.Status?.Parents.FirstOrDefault()?.Conditions, "Accepted");

    private static Condition? Of(IEnumerable<Condition>? conditions, string type) => conditions?.FirstOrDefault(c => c.Type == type);
}
