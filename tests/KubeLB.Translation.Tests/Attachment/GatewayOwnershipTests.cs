using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

public sealed class GatewayOwnershipTests
{
    private const string Ours = "kubelb.k8c.io/gateway-controller";

    [Theory]
    [InlineData("kubelb", null, true)]
    [InlineData("kubelb", Ours, true)]
    [InlineData("kubelb", "example.com/controller", true)]
    [InlineData("other", null, false)]
    [InlineData("other", Ours, true)]
    [InlineData("other", "example.com/controller", false)]
    [InlineData("Kubelb", null, false)]
    [InlineData(null, null, false)]
    public void Gateway_is_owned_by_its_class(string? className, string? controllerOfTheClass, bool expected)
    {
        var tenant = new TenantStub();
        if (controllerOfTheClass is not null)
        {
            tenant.Classes.Add(Class(className!, controllerOfTheClass));
        }

        GatewayOwnership.Owns(GatewayOf(className), tenant, new TenantSettings("tenant-t")).Should().Be(expected);
    }

    [Theory]
    [InlineData("True", false)]
    [InlineData("False", false)]
    [InlineData("Unknown", true)]
    public void Class_kubelb_is_owned_until_another_controller_reports(string accepted, bool expected)
    {
        var tenant = new TenantStub { Classes = { Class("kubelb", "example.com/controller", accepted, "2025-12-31T23:59:00Z") } };

        GatewayOwnership.Owns(GatewayOf("kubelb"), tenant, Settings).Should().Be(expected);
    }

    [Theory]
    [InlineData("kubelb")]
    [InlineData("other")]
    public void Served_Gateway_with_deleted_class_is_still_served(string className)
    {
        var tenant = new TenantStub { Routes = { Carried(className) } };

        var ownership = GatewayOwnership.Evaluate(GatewayOf(className), tenant, Settings);

        ownership.IsOwned.Should().BeTrue();
        ownership.TimeLeft.Should().BeNull();
        ownership.Reason.Should().Be("GatewayClassNotFound");
        ownership.Message.Should().Contain($"GatewayClass {className} does not exist").And.Contain(Ours);
    }

    [Fact]
    public void Unserved_Gateway_of_a_missing_class_reports_nothing() =>
        GatewayOwnership.Evaluate(GatewayOf("other"), new TenantStub(), Settings).Should().Be(new GatewayOwnership(false));

    [Fact]
    public void Served_Gateway_is_kept_until_another_controller_accepts_its_class()
    {
        var tenant = new TenantStub { Classes = { Class("other", "example.com/controller") }, Routes = { Carried("other") } };

        GatewayOwnership.Evaluate(GatewayOf("other"), tenant, Settings).Should().Be(new GatewayOwnership(true));
    }

    [Theory]
    [InlineData("2026-01-01T00:00:00Z", 600)]
    [InlineData("2025-12-31T23:51:00Z", 60)]
    [InlineData("2025-12-31T23:50:00Z", null)]
    [InlineData("2025-12-31T00:00:00Z", null)]
    [InlineData("2026-01-01T00:00:05Z", 600)]
    [InlineData("not a time", null)]
    [InlineData(null, null)]
    public void Served_Gateway_is_released_10_minutes_after_another_controller_accepted(string? accepted, int? secondsLeft)
    {
        var tenant = new TenantStub
        {
            Classes = { Class("other", "example.com/controller", "True", accepted) },
            Routes = { Carried("other") },
        };

        var ownership = GatewayOwnership.Evaluate(GatewayOf("other"), tenant, Settings);

        ownership.IsOwned.Should().Be(secondsLeft is not null);
        ownership.TimeLeft.Should().Be(secondsLeft is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        ownership.Reason.Should().Be(secondsLeft is null ? null : "GatewayClassConflict");
    }

    [Fact]
    public void Conflict_names_the_class_its_controller_and_the_time_of_the_release()
    {
        var tenant = new TenantStub
        {
            Classes = { Class("other", "example.com/controller", "True", "2025-12-31T23:51:00Z") },
            Routes = { Carried("other") },
        };

        GatewayOwnership
            .Evaluate(GatewayOf("other"), tenant, Settings)
            .Message.Should()
            .Contain("other")
            .And.Contain("example.com/controller")
            .And.Contain("2026-01-01T00:01:00Z");
    }

    [Fact]
    public void Gateway_moved_to_another_class_is_released_immediately()
    {
        var tenant = new TenantStub
        {
            Classes = { Class("theirs", "example.com/controller", "True", "2026-01-01T00:00:00Z") },
            Routes = { Carried("kubelb") },
        };

        GatewayOwnership.Owns(GatewayOf("theirs"), tenant, Settings).Should().BeFalse();
    }

    [Fact]
    public void Unserved_Gateway_of_another_controller_is_not_owned()
    {
        var tenant = new TenantStub { Classes = { Class("kubelb", "example.com/controller", "True", "2026-01-01T00:00:00Z") } };

        GatewayOwnership.Owns(GatewayOf("kubelb"), tenant, Settings).Should().BeFalse();
    }

    [Theory]
    [InlineData("kubelb")]
    [InlineData("other")]
    [InlineData(null)]
    public void Every_Gateway_is_owned_without_gateway_classes(string? className)
    {
        var tenant = new TenantStub { Classes = { Class("other", "example.com/controller"), Class("kubelb", "example.com/controller") } };

        GatewayOwnership.Owns(GatewayOf(className), tenant, new TenantSettings("tenant-t", UseGatewayClass: false)).Should().BeTrue();
    }

    [Fact]
    public void Gateway_without_spec_is_not_owned() =>
        GatewayOwnership.Owns(new Gateway(), new TenantStub(), new TenantSettings("tenant-t")).Should().BeFalse();

    [Theory]
    [InlineData(Ours, true)]
    [InlineData("example.com/controller", false)]
    [InlineData(null, false)]
    public void GatewayClass_is_owned_by_its_controllerName(string? controller, bool expected) =>
        GatewayOwnership.HasKubelbController(Class("any", controller)).Should().Be(expected);

    [Fact]
    public void GatewayClass_without_spec_is_not_owned() => GatewayOwnership.HasKubelbController(new GatewayClass()).Should().BeFalse();

    [Theory]
    [InlineData(Ours, null, null, Ours, "True", "2026-01-01T00:00:00Z", true)]
    [InlineData("example.com/a", null, null, "example.com/a", null, null, true)]
    [InlineData("example.com/a", null, null, "example.com/a", "Unknown", null, true)]
    [InlineData("example.com/a", "True", "2026-01-01T00:00:00Z", "example.com/a", "False", "2026-01-01T00:00:00Z", true)]
    [InlineData("example.com/a", null, null, "example.com/a", "True", "2026-01-01T00:00:00Z", false)]
    [InlineData("example.com/a", "True", "2026-01-01T00:00:00Z", "example.com/a", "True", "2026-01-01T00:00:01Z", false)]
    [InlineData(Ours, null, null, "example.com/a", null, null, false)]
    [InlineData("example.com/a", null, null, Ours, null, null, false)]
    public void Versions_of_a_class_are_equivalent_for_the_same_controller_and_time(
        string controller,
        string? accepted,
        string? since,
        string newController,
        string? newAccepted,
        string? newSince,
        bool expected
    ) =>
        GatewayOwnership
            .IsEquivalent(Class("any", controller, accepted, since), Class("any", newController, newAccepted, newSince))
            .Should()
            .Be(expected);

    private static readonly TenantSettings Settings = new("tenant-t");

    private static Gateway GatewayOf(string? className) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = "gw",
                NamespaceProperty = "default",
                Uid = "u",
            },
            Spec = new GatewaySpec { GatewayClassName = className },
        };

    private static Route Carried(string className)
    {
        var gateway = GatewayOf(className);
        return SourceResource.Wrap(gateway, ApiJson.ToJson(gateway.Spec!), services: null, "tenant-t");
    }

    private static GatewayClass Class(string name, string? controller, string? accepted = null, string? since = null) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new GatewayClassSpec { ControllerName = controller },
            Status = accepted is null
                ? null
                : new GatewayClassStatus
                {
                    Conditions =
                    [
                        new Condition
                        {
                            Type = "Accepted",
                            Status = accepted,
                            Reason = "Accepted",
                            Message = "",
                            LastTransitionTime = since,
                        },
                    ],
                },
        };
}
