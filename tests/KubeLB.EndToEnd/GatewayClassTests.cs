using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Which Gateways the CCM serves; others are never written.</summary>
public sealed class GatewayClassTests
{
    [Fact]
    public async Task GatewayClass_of_another_controller_is_never_written()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Class("ours", GatewayClass.KubelbController));
        await fixture.Tenant.ApplyAsync(Class("theirs", "example.com/another-controller"));
        await fixture.Tenant.ApplyAsync(GatewayOf("my-gateway", "ours"));
        await fixture.Tenant.ApplyAsync(GatewayOf("their-gateway", "theirs"));

        var accepted = await fixture.Tenant.WaitAsync<GatewayClass>("", "ours", IsAccepted, "is accepted");
        accepted
            .Status!.SupportedFeatures!.Select(f => f.Name)
            .Should()
            .BeInAscendingOrder(StringComparer.Ordinal)
            .And.Contain(["Gateway", "HTTPRouteMethodMatching", "GRPCRoute"])
            .And.NotContain("ReferenceGrant", "the CCM does not enforce them");
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await fixture.SettleAsync();
        fixture.Writes().Where(w => w.Name is "theirs" or "their-gateway").Should().BeEmpty();

        // Without its class, and with one of another controller, the Gateway is still served, with a warning; the class is not
        // written.
        await fixture.Tenant.DeleteAsync<GatewayClass>("", "ours");
        await Eventually.GetAsync(
            "the Gateway's Event names the class",
            () => fixture.Tenant.ListAsync<Corev1Event>("default"),
            events => events.Any(e => e.InvolvedObject.Name == "my-gateway" && e is { Type: "Warning", Reason: "GatewayClassNotFound" })
        );
        await fixture.Tenant.ApplyAsync(Class("ours", "example.com/another-controller"));
        await fixture.SettleAsync();
        (await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway")).Should().NotBeNull();
        (await fixture.Tenant.GetAsync<GatewayClass>("", "ours"))!
            .Status?.Conditions?.Should()
            .NotContain(c => c.Type == "Accepted" && c.Status == "True");
    }

    [Fact]
    public async Task GatewayClass_that_is_deleted_first_blocks_no_deletion()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Class("ours", GatewayClass.KubelbController));
        await fixture.Tenant.ApplyAsync(GatewayOf("my-gateway", "ours"));
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        (await fixture.Tenant.GetAsync<GatewayClass>("", "ours"))!
            .Metadata.Finalizers.Should()
            .BeNullOrEmpty("the deletion of a class stops no traffic, so none is needed");

        await fixture.Tenant.DeleteAsync<GatewayClass>("", "ours");
        await fixture.Tenant.WaitGoneAsync<GatewayClass>("", "ours");
        await fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await fixture.Tenant.WaitGoneAsync<Gateway>("default", "my-gateway");
        await fixture.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
    }

    [Fact]
    public async Task Gateway_without_a_GatewayClass_object_is_served_only_for_class_kubelb()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.DeleteAsync<GatewayClass>("", GatewayClass.KubelbName);
        await fixture.Tenant.WaitGoneAsync<GatewayClass>("", GatewayClass.KubelbName);

        await fixture.Tenant.ApplyAsync(GatewayOf("my-gateway", GatewayClass.KubelbName));
        await fixture.Tenant.ApplyAsync(GatewayOf("their-gateway", "unknown"));
        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await fixture.SettleAsync();

        fixture.Writes().Where(w => w.Name == "their-gateway").Should().BeEmpty();
    }

    [Fact]
    public async Task Gateway_of_any_class_is_served_when_UseGatewayClass_is_false()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { UseGatewayClass = false },
            }
        );
        await fixture.Tenant.ApplyAsync(Class("theirs", "example.com/another-controller"));
        await fixture.Tenant.ApplyAsync(GatewayOf("my-gateway", "theirs"));
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        await fixture.Tenant.ApplyAsync(Documents.Route);

        await fixture.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await fixture.ExpectBackendAsync("api.example.com");
        fixture.Writes().Where(w => w.Name == "theirs").Should().BeEmpty("the class belongs to another controller");
    }

    private static bool IsAccepted(GatewayClass gatewayClass) =>
        gatewayClass.Status?.Conditions?.Any(c => c is { Type: "Accepted", IsTrue: true }) == true;

    private static string Class(string name, string controller) =>
        $"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: GatewayClass
            metadata:
              name: {name}
            spec:
              controllerName: {controller}
            """;

    private static string GatewayOf(string name, string gatewayClass) =>
        Documents.Gateway.Replace("my-gateway", name).Replace("gatewayClassName: kubelb", $"gatewayClassName: {gatewayClass}");
}
