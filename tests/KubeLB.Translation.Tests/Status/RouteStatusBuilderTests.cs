using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

public sealed class RouteStatusBuilderTests
{
    private const string Now = "2026-01-02T03:04:05Z";

    private static readonly RouteOrigin Origin = new("gateway.networking.k8s.io/v1", "HTTPRoute", "default", "r", "u");

    [Fact]
    public void Failed_translation_keeps_the_generated_object_in_the_status()
    {
        var status = Build(EnvoyGatewayTranslation.Failed(Origin, "All ports are taken."));

        var route = status.Resources!.Route!;
        route.GeneratedName.Should().Be("default-r");
        route.SourceGeneration.Should().Be(1);
        route.Generation.Should().Be(4);
        route.Status.Should().NotBeNull();
        route.Conditions.Should().ContainSingle().Which.Should().Match<Condition>(c => c.Status == "False" && c.ObservedGeneration == 2);
        status.Resources.Services.Should().ContainKey("default/s", "it is still there");
    }

    [Fact]
    public void Rejected_Route_has_no_generated_object_in_the_status()
    {
        var status = Build(EnvoyGatewayTranslation.Rejected(Origin, "Remove the filter."));

        var route = status.Resources!.Route!;
        route.GeneratedName.Should().BeNull();
        route.SourceGeneration.Should().BeNull();
        route.Generation.Should().BeNull();
        route.Status.Should().BeNull();
        status.Resources.Services.Should().BeNull();
        RouteStatusBuilder.Failures(status).Should().Equal("Remove the filter.");
    }

    [Fact]
    public void Failures_are_those_of_the_Route_and_of_its_Services()
    {
        var status = Served();
        status.Resources!.Services!["default/s"].Conditions = [Condition("False", "no service")];
        status.Resources.Route!.Conditions = [Condition("False", "no route")];

        RouteStatusBuilder.Failures(status).Should().BeEquivalentTo("no service", "no route");
        RouteStatusBuilder.Failures(Served()).Should().BeEmpty();
        RouteStatusBuilder.Failures(null).Should().BeEmpty();
    }

    private static RouteStatus Build(EnvoyGatewayTranslation translation)
    {
        var route = new Route
        {
            Metadata = new()
            {
                Name = "u",
                NamespaceProperty = "tenant-t",
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "2" },
            },
            Status = Served(),
        };
        return RouteStatusBuilder.Build(new RouteOutcome(route, translation), Now);
    }

    private static RouteStatus Served() =>
        new()
        {
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    GeneratedName = "default-r",
                    SourceGeneration = 1,
                    Generation = 4,
                    Status = new JsonObject { ["parents"] = new JsonArray() },
                    Conditions = [Condition("True", "Success")],
                },
                Services = new Dictionary<string, GeneratedService>
                {
                    ["default/s"] = new() { GeneratedName = "default-r-s", Conditions = [Condition("True", "Success")] },
                },
            },
        };

    private static Condition Condition(string status, string message) =>
        new()
        {
            Type = RouteConditions.ResourceAppliedSuccessfully,
            Status = status,
            Reason = "r",
            Message = message,
            ObservedGeneration = 1,
            LastTransitionTime = "2025-01-01T00:00:00Z",
        };
}
