using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

public sealed class GatewayOwnershipTests
{
    private const string Ours = "kubelb.k8c.io/gateway-controller";

    [Theory]
    [InlineData("kubelb", null, true)]
    [InlineData("kubelb", Ours, true)]
    [InlineData("kubelb", "example.com/controller", false)]
    [InlineData("other", null, false)]
    [InlineData("other", Ours, true)]
    [InlineData("other", "example.com/controller", false)]
    [InlineData("Kubelb", null, false)]
    [InlineData(null, null, false)]
    public void A_gateway_is_ours_by_its_class(string? className, string? controllerOfTheClass, bool expected)
    {
        var tenant = new TenantStub();
        if (controllerOfTheClass is not null)
        {
            tenant.Classes.Add(Class(className!, controllerOfTheClass));
        }

        GatewayOwnership.IsOf(GatewayOf(className), tenant, new TenantSettings("tenant-t")).Should().Be(expected);
    }

    [Theory]
    [InlineData("kubelb")]
    [InlineData("other")]
    [InlineData(null)]
    public void Every_gateway_is_ours_where_classes_are_not_asked_for(string? className)
    {
        var tenant = new TenantStub { Classes = { Class("other", "example.com/controller"), Class("kubelb", "example.com/controller") } };

        GatewayOwnership.IsOf(GatewayOf(className), tenant, new TenantSettings("tenant-t", UseGatewayClass: false)).Should().BeTrue();
    }

    [Fact]
    public void A_gateway_without_spec_is_not_ours() =>
        GatewayOwnership.IsOf(new Gateway(), new TenantStub(), new TenantSettings("tenant-t")).Should().BeFalse();

    [Theory]
    [InlineData(Ours, true)]
    [InlineData("example.com/controller", false)]
    [InlineData(null, false)]
    public void A_class_is_ours_by_its_controller(string? controller, bool expected) =>
        GatewayOwnership.IsOursByController(Class("any", controller)).Should().Be(expected);

    [Fact]
    public void A_class_without_spec_is_not_ours() => GatewayOwnership.IsOursByController(new GatewayClass()).Should().BeFalse();

    private static Gateway GatewayOf(string? className) => new() { Spec = new GatewaySpec { GatewayClassName = className } };

    private static GatewayClass Class(string name, string? controller) =>
        new() { Metadata = new V1ObjectMeta { Name = name }, Spec = new GatewayClassSpec { ControllerName = controller } };
}
