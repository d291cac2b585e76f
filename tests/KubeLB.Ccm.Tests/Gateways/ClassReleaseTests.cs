using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.Tests.Gateways;

/// <summary>A class that another controller accepts releases its Gateways, after ten minutes and with Events.</summary>
public sealed class ClassReleaseTests
{
    private const string Theirs = "example.com/another-controller";

    [Fact]
    public async Task A_class_that_another_controller_accepts_releases_its_gateway_after_ten_minutes_with_events_before_and_after()
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Class(GatewayClass.KubelbController));
        await bed.CreateAsync(Given.Service());
        var gateway = (await bed.CreateAsync(Given.Gateway())).Metadata.Uid;
        var route = (await bed.CreateAsync(Given.Route())).Metadata.Uid;
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway, _ => true, "is carried");
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route, _ => true, "is carried");

        await bed.Tenant.Client<GatewayClass>().DeleteAsync(new ResourceKey("", GatewayClass.KubelbName), null, default);
        await WarnedAsync(bed, "GatewayClassNotFound", "does not exist");
        await bed.CreateAsync(Class(Theirs));
        await CcmFixture.PatchStatusAsync<GatewayClass>(
            bed.Tenant,
            "",
            GatewayClass.KubelbName,
            $$$"""
            {"conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"{{{bed.Clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}}}"}]}
            """
        );

        await WarnedAsync(bed, "GatewayClassConflict", Theirs);
        (await bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default)).Should().NotBeNull();
        (await bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default)).Should().NotBeNull();

        // Timers keep the system's pace: a change of the Gateway brings it back.
        bed.Clock.Forward(TimeSpan.FromMinutes(10));
        await bed
            .Tenant.Client<Gateway>()
            .MergePatchAsync(
                new ResourceKey("default", "gw"),
                (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}}}""")!,
                default
            );

        await Eventually.GetAsync(
            "its Route is gone",
            () => bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, gateway), default),
            r => r is null
        );
        await Eventually.GetAsync(
            "the route's is gone",
            () => bed.Management.Client<Route>().GetAsync(new ResourceKey(CcmFixture.Namespace, route), default),
            r => r is null
        );
        await WarnedAsync(bed, "GatewayReleased", "belongs to another controller");
        var theirs = (await bed.Tenant.Client<GatewayClass>().GetAsync(new ResourceKey("", GatewayClass.KubelbName), default))!;
        theirs.Metadata.Finalizers.Should().BeNullOrEmpty();
        theirs.Status!.Conditions.Should().ContainSingle("the class is another controller's to write").Which.Message.Should().BeEmpty();
    }

    private static async Task WarnedAsync(CcmFixture bed, string reason, string part) =>
        await Eventually.GetAsync(
            $"there is an Event {reason}",
            async () =>
                (
                    await bed
                        .Tenant.Client<Corev1Event>()
                        .ListAsync(new KubeLB.Runtime.Clusters.ListQuery { Namespace = "default" }, default)
                ).Items,
            told =>
                told.Any(e =>
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
