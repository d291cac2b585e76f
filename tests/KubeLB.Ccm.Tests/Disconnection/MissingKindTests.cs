using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;

namespace KubeLB.Ccm.Tests.Disconnection;

/// <summary>A kind that is not installed in the tenant's cluster holds up nothing but itself.</summary>
public sealed class MissingKindTests
{
    [Fact]
    public async Task Without_grpcroutes_httproutes_are_served_with_their_twins_and_readyz_names_what_is_missing()
    {
        await using var bed = await CcmFixture.CreateAsync(without: "grpcroutes");
        await bed.StartCcmAsync();
        await bed.CreateAsync(Given.Service());
        await bed.CreateAsync(Given.Gateway());
        var route = await bed.CreateAsync(Given.Route());

        await CcmFixture.WaitAsync<V1Service>(bed.Tenant, "default", "api-nodeport", _ => true, "is made");
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "is carried");
        var (ready, text) = await bed.ReadyAsync();
        ready.Should().BeTrue("what can be served is");
        text.TrimEnd()
            .Split('\n')
            .Should()
            .ContainSingle()
            .Which.Should()
            .Contain("grpcroutes.gateway.networking.k8s.io")
            .And.Contain("install the CustomResourceDefinition");

        await CcmFixture.InstallCrdsAsync(bed.TenantServer, file => file.Contains("grpcroutes", StringComparison.Ordinal));
        await bed.WaitReadyAsync();
    }

    [Fact]
    public async Task Without_gateway_api_at_all_node_addresses_are_carried_and_the_rest_follows_when_it_comes()
    {
        await using var bed = await CcmFixture.CreateAsync(without: "gateway.networking.k8s.io");
        await bed.StartCcmAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        await CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: 1 },
            "is carried"
        );
        var (ready, text) = await Eventually.GetAsync(
            "/readyz names all four kinds",
            bed.ReadyAsync,
            r => r.Text.TrimEnd().Split('\n').Count(l => l.Contains("install the CustomResourceDefinition", StringComparison.Ordinal)) == 4
        );
        ready.Should().BeFalse("Gateways cannot be served");

        await CcmFixture.InstallCrdsAsync(bed.TenantServer, file => file.StartsWith("gateway.networking.k8s.io", StringComparison.Ordinal));
        await bed.WaitReadyAsync();
        var gateway = await bed.CreateAsync(Given.Gateway());
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
    }
}
