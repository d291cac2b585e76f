using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Which Gateways are ours, and that nothing else is ever written.</summary>
public sealed class GatewayClassTests
{
    [Fact]
    public async Task A_class_is_ours_by_its_controller_and_those_of_others_are_never_written()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Class("ours", GatewayClass.KubelbController));
        await bed.Tenant.ApplyAsync(Class("theirs", "example.com/another-controller"));
        await bed.Tenant.ApplyAsync(GatewayOf("my-gateway", "ours"));
        await bed.Tenant.ApplyAsync(GatewayOf("their-gateway", "theirs"));

        await bed.Tenant.WaitAsync<GatewayClass>("", "ours", IsAccepted, "is accepted");
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await bed.SettleAsync();
        bed.Writes().Where(w => w.Name is "theirs" or "their-gateway").Should().BeEmpty();

        // Without its class, and with one that names another controller, what is served is served on, with a warning; the class is not
        // written.
        await bed.Tenant.DeleteAsync<GatewayClass>("", "ours");
        await Eventually.GetAsync(
            "the Gateway's Event names the class",
            () => bed.Tenant.ListAsync<Corev1Event>("default"),
            told => told.Any(e => e.InvolvedObject.Name == "my-gateway" && e is { Type: "Warning", Reason: "GatewayClassNotFound" })
        );
        await bed.Tenant.ApplyAsync(Class("ours", "example.com/another-controller"));
        await bed.SettleAsync();
        (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway")).Should().NotBeNull();
        (await bed.Tenant.GetAsync<GatewayClass>("", "ours"))!
            .Status?.Conditions?.Should()
            .NotContain(c => c.Type == "Accepted" && c.Status == "True");
    }

    [Fact]
    public async Task Without_a_class_object_the_name_kubelb_alone_is_ours()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.DeleteAsync<GatewayClass>("", GatewayClass.KubelbName);
        await bed.Tenant.WaitGoneAsync<GatewayClass>("", GatewayClass.KubelbName);

        await bed.Tenant.ApplyAsync(GatewayOf("my-gateway", GatewayClass.KubelbName));
        await bed.Tenant.ApplyAsync(GatewayOf("their-gateway", "unknown"));
        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await bed.SettleAsync();

        bed.Writes().Where(w => w.Name == "their-gateway").Should().BeEmpty();
    }

    [Fact]
    public async Task Without_use_gateway_class_every_gateway_is_ours()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o => o with { Ccm = ccm => ccm with { UseGatewayClass = false } });
        await bed.Tenant.ApplyAsync(Class("theirs", "example.com/another-controller"));
        await bed.Tenant.ApplyAsync(GatewayOf("my-gateway", "theirs"));
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Deployment);
        await bed.Tenant.ApplyAsync(Documents.Route);

        await bed.Tenant.WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await bed.ExpectBackendAsync("api.example.com");
        bed.Writes().Where(w => w.Name == "theirs").Should().BeEmpty("the class still is another controller's");
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
