using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests;

/// <summary>A GatewayClass that another controller accepts releases its Gateways after ten minutes, with Events.</summary>
public sealed class ClassReleaseTests
{
    private const string OtherController = "example.com/another-controller";

    [Fact]
    public async Task GatewayClass_of_another_controller_releases_its_Gateway_after_ten_minutes()
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(Class(GatewayClass.KubelbController));
        await fixture.CreateAsync(TestObjects.Service());
        var gateway = (await fixture.CreateAsync(TestObjects.Gateway())).Metadata.Uid;
        var route = (await fixture.CreateAsync(TestObjects.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway, _ => true, "exists");
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route, _ => true, "exists");

        await fixture.Tenant.Client<GatewayClass>().DeleteAsync(new ResourceKey("", GatewayClass.KubelbName), null, default);
        await WarnedAsync(fixture, "GatewayClassNotFound", "does not exist");
        await fixture.CreateAsync(Class(OtherController));
        await CcmFixture.PatchStatusAsync<GatewayClass>(
            fixture.Tenant,
            "",
            GatewayClass.KubelbName,
            $$$"""
            {"conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"",
              "lastTransitionTime":"{{{fixture.Clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}}}"}]}
            """
        );

        await WarnedAsync(fixture, "GatewayClassConflict", OtherController);
        (await fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();

        // Timers use the system clock, so a change of the Gateway enqueues it.
        fixture.Clock.Forward(TimeSpan.FromMinutes(10));
        await fixture
            .Tenant.Client<Gateway>()
            .MergePatchAsync(
                new ResourceKey("default", "gw"),
                (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}""")!,
                default
            );

        await Eventually.GetAsync(
            "the Route of the Gateway is deleted",
            () => fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default),
            r => r is null
        );
        await Eventually.GetAsync(
            "the Route of the HTTPRoute is deleted",
            () => fixture.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default),
            r => r is null
        );
        await WarnedAsync(fixture, "GatewayReleased", "belongs to another controller");
        var gatewayClass = (await fixture.Tenant.Client<GatewayClass>().GetAsync(new ResourceKey("", GatewayClass.KubelbName), default))!;
        gatewayClass.Metadata.Finalizers.Should().BeNullOrEmpty();
        gatewayClass.Status!.Conditions.Should().ContainSingle("another controller writes the class").Which.Message.Should().BeEmpty();
    }

    private static async Task WarnedAsync(CcmFixture fixture, string reason, string part) =>
        await Eventually.GetAsync(
            $"there is an Event {reason}",
            async () =>
                (
                    await fixture
                        .Tenant.Client<Corev1Event>()
                        .ListAsync(new KubeLB.Runtime.Clusters.ListQuery { Namespace = "default" }, default)
                ).Items,
            events =>
                events.Any(e =>
                    e.InvolvedObject.Name == "gw"
                    && e.Type == "Warning"
                    && e.Reason == reason
                    && e.Message.Contains(part, StringComparison.Ordinal)
                )
        );

    private static GatewayClass Class(string controller) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = GatewayClass.KubelbName },
            Spec = new GatewayClassSpec { ControllerName = controller },
        };
}
