using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
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
    public void Failed_translation_keeps_the_condition_of_the_retry_policy()
    {
        var route = Served();
        route.Resources!.Route!.Conditions!.Add(Condition("True", "5xx", RouteConditions.RetryPolicyApplied));

        Build(EnvoyGatewayTranslation.Failed(Origin, "All ports are taken."), route)
            .Resources!.Route!.Conditions!.Select(c => c.Type)
            .Should()
            .Equal(RouteConditions.ResourceAppliedSuccessfully, RouteConditions.RetryPolicyApplied);
    }

    [Fact]
    public void Applied_object_is_in_the_status_with_its_own_status()
    {
        var applied = new AppliedObject(5, new JsonObject { ["parents"] = new JsonArray(1) }, null);

        var route = Build(Generated(), Served(), o => o with { Generated = applied }).Resources!.Route!;

        route.Generation.Should().Be(5);
        route.SourceGeneration.Should().Be(2);
        route.Status!.ToJsonString().Should().Be("""{"parents":[1]}""");
    }

    [Fact]
    public void Object_that_could_not_be_written_reports_the_error()
    {
        var status = Build(Generated(), Served(), o => o with { Generated = AppliedObject.Failed("Too large.") });

        var route = status.Resources!.Route!;
        route.Conditions.Should().ContainSingle().Which.Should().Match<Condition>(c => c.Status == "False" && c.Message == "Too large.");
        route.Generation.Should().Be(4, "the older object is kept");
    }

    [Fact]
    public void First_failed_Service_precedes_the_other_failures()
    {
        var services = new Dictionary<string, AppliedObject>
        {
            ["default/b"] = AppliedObject.Failed("b failed."),
            ["default/a"] = AppliedObject.Failed("a failed."),
        };

        Build(Generated(), Served(), o => o with { Generated = AppliedObject.Failed("Too large."), Services = services })
            .Conditions!.Select(c => c.Message)
            .Should()
            .Equal("a failed.", "a failed.");
    }

    [Theory]
    [InlineData(0, """{"ancestors":[{"conditions":[{"type":"Accepted","status":"True"}]}]}""", "True", "Retries are disabled.")]
    [InlineData(2, """{"ancestors":[{"conditions":[{"type":"Accepted","status":"True"}]}]}""", "True", null)]
    [InlineData(2, """{"ancestors":"none"}""", "Unknown", "Waiting for Envoy Gateway to accept the retry policy.")]
    [InlineData(2, "{}", "Unknown", "Waiting for Envoy Gateway to accept the retry policy.")]
    public void Retry_policy_is_reported_as_Envoy_Gateway_accepts_it(int retries, string status, string applied, string? message)
    {
        var policy = new BackendTrafficPolicy { Spec = new BackendTrafficPolicySpec { Retry = new RetryPolicy { NumRetries = retries } } };
        var json = JsonNode.Parse(status)!.AsObject();
        if (applied == "True")
        {
            json["ancestors"]![0]!["conditions"]![0]!["observedGeneration"] = 1;
        }

        var condition = Build(
            Generated() with
            {
                Retries = new RetryPlan(policy, Problem: null),
            },
            Served(),
            o => o with { RetryPolicy = new AppliedObject(1, json, null) }
        )
            .Resources!.Route!.Conditions!.Single(c => c.Type == RouteConditions.RetryPolicyApplied);

        condition.Status.Should().Be(applied);
        condition.Message.Should().Match(message ?? "*2*");
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

    private static EnvoyGatewayTranslation Generated() => new(Origin, new HttpRoute { Metadata = new() { Name = "default-r" } }, [], null);

    private static RouteStatus Build(
        EnvoyGatewayTranslation translation,
        RouteStatus? before = null,
        Func<RouteOutcome, RouteOutcome>? change = null
    )
    {
        var route = new Route
        {
            Metadata = new()
            {
                Name = "u",
                NamespaceProperty = "tenant-t",
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "2" },
            },
            Status = before ?? Served(),
        };
        var outcome = new RouteOutcome(route, translation);
        return RouteStatusBuilder.Build(change?.Invoke(outcome) ?? outcome, Now);
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

    private static Condition Condition(string status, string message, string type = RouteConditions.ResourceAppliedSuccessfully) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = "r",
            Message = message,
            ObservedGeneration = 1,
            LastTransitionTime = "2025-01-01T00:00:00Z",
        };
}
