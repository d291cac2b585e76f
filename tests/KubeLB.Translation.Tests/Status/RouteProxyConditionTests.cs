using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>The conditions of a Route about the tenant's proxies: a rejected backend, and no available proxy.</summary>
public sealed class RouteProxyConditionTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";
    private const string NoPod = "No pod of Deployment envoy-tenant-t is available";

    private static readonly ProxyRejection Rejected = new("10.0.0.7", "cluster", "no such thing");

    [Fact]
    public void Rejected_backend_reports_ProxyRejected_with_the_error_of_Envoy()
    {
        var status = WithRejection(null, Now);

        Programmed(status)
            .Should()
            .BeEquivalentTo(
                new
                {
                    Status = "False",
                    Reason = "ProxyRejected",
                    Message = "Envoy 10.0.0.7 rejected the cluster of a new backend; the route keeps its last accepted configuration: "
                        + "no such thing",
                    ObservedGeneration = 3,
                    LastTransitionTime = Now,
                }
            );
        ObjectConditions(status).Should().Equal("ProxyProgrammed False ProxyRejected 7");
    }

    [Fact]
    public void Rejected_backend_keeps_the_other_conditions_of_the_object()
    {
        var before = Built("Gateway", Reported("True", "Programmed"), null, Before);

        ObjectConditions(WithRejection(before, Now))
            .Should()
            .Equal("ResourceAppliedSuccessfully True InstallationSuccessful 7", "ProxyProgrammed False ProxyRejected 7");
    }

    [Fact]
    public void Rejected_backend_keeps_the_Services_of_the_kept_object()
    {
        var before = Built("HTTPRoute", [], null, Before);
        before.Resources!.Services = new Dictionary<string, GeneratedService>
        {
            ["default/old"] = new() { GeneratedName = "default-x-old" },
        };

        var status = WithRejection(before, Now);

        status.Resources!.Services!["default/old"].GeneratedName.Should().Be("default-x-old");
        status.Conditions!.Single(c => c.Type == "Accepted").Message.Should().Contain("until the tenant's proxies accept");
    }

    [Fact]
    public void Condition_for_the_tenant_does_not_contain_the_address_of_a_proxy() =>
        WithRejection(null, Now)
            .Resources!.Route!.Conditions!.Single()
            .Message.Should()
            .Be("Envoy rejected the cluster of a new backend; the route keeps its last accepted configuration: no such thing");

    [Fact]
    public void Repeated_rejection_does_not_change_the_status()
    {
        var first = WithRejection(null, Before);
        var again = WithRejection(first, Now);

        again.Should().BeEquivalentTo(first);
        Programmed(again).LastTransitionTime.Should().Be(Before);
    }

    [Fact]
    public void Failed_Service_takes_precedence_over_a_rejected_backend()
    {
        var outcome = new RouteOutcome(Route(null), Translation("HTTPRoute"))
        {
            Services = new Dictionary<string, AppliedObject> { ["default/s"] = AppliedObject.Failed("Too large.") },
            ProxyRejection = Rejected,
        };

        var status = RouteStatusBuilder.Build(outcome, Now);

        Programmed(status).Reason.Should().Be("InstallationFailed");
        status.Resources!.Route!.Conditions!.Should().Contain(c => c.Type == RouteConditions.ProxyProgrammed);
    }

    [Fact]
    public void Gateway_without_available_proxy_reports_the_reason_of_the_Tenant()
    {
        var status = Built("Gateway", Reported("True", "Programmed"), "False", Now);

        Programmed(status)
            .Should()
            .BeEquivalentTo(
                new
                {
                    Status = "False",
                    Reason = "NoProxyAvailable",
                    Message = NoPod,
                    ObservedGeneration = 3,
                    LastTransitionTime = Now,
                }
            );
        ObjectConditions(status)
            .Should()
            .Equal("ResourceAppliedSuccessfully True InstallationSuccessful 7", "ProxiesAvailable False NoProxyAvailable 7");
        status.Resources!.Route!.Conditions![1].Message.Should().Contain("503").And.NotContain("envoy-tenant-t");
    }

    [Fact]
    public void Repeated_unavailability_does_not_change_the_status()
    {
        var first = Built("Gateway", Reported("True", "Programmed"), "False", Before);

        var again = Built("Gateway", Reported("True", "Programmed"), "False", Now, first);

        ApiJson.ToJson(again).ToJsonString().Should().Be(ApiJson.ToJson(first).ToJsonString());
    }

    [Theory]
    [InlineData("True")]
    [InlineData(null)]
    public void Gateway_with_available_proxy_has_no_condition_about_proxies(string? available)
    {
        var unavailable = Built("Gateway", Reported("True", "Programmed"), "False", Before);

        var status = Built("Gateway", Reported("True", "Programmed"), available, Now, unavailable);

        Programmed(status).Status.Should().Be("True");
        ObjectConditions(status).Should().Equal("ResourceAppliedSuccessfully True InstallationSuccessful 7");
    }

    [Fact]
    public void Failure_in_Envoy_Gateway_takes_precedence_over_unavailable_proxies() =>
        Programmed(Built("Gateway", Reported("False", "AddressNotAssigned"), "False", Now)).Reason.Should().Be("AddressNotAssigned");

    [Theory]
    [InlineData("HTTPRoute")]
    [InlineData("GRPCRoute")]
    public void Route_without_available_proxy_has_no_condition_about_proxies(string kind)
    {
        var status = Built(kind, [], "False", Now);

        Programmed(status).Reason.Should().Be("Pending");
        ObjectConditions(status).Should().Equal("ResourceAppliedSuccessfully True InstallationSuccessful 7");
    }

    [Fact]
    public void Unanswered_Gateway_without_a_class_reports_it_before_its_proxies()
    {
        var problem = GatewayClassProblem.Of("nope", null, isComplete: true)!;

        var status = RouteStatusBuilder.Build(Outcome("Gateway") with { ClassProblem = problem, Tenant = Tenant("False") }, Now);

        Programmed(status)
            .Should()
            .BeEquivalentTo(
                new
                {
                    Status = "False",
                    Reason = "GatewayClassNotFound",
                    problem.Message,
                    ObservedGeneration = 3,
                }
            );
        ObjectConditions(status)
            .Should()
            .Equal(
                "ResourceAppliedSuccessfully True InstallationSuccessful 7",
                "GatewayClassReady False GatewayClassNotFound 7",
                "ProxiesAvailable False NoProxyAvailable 7"
            );
        status.Resources!.Route!.Conditions![1].Message.Should().Be(problem.TenantMessage);
    }

    [Fact]
    public void Route_without_a_class_has_no_condition_about_it()
    {
        var problem = GatewayClassProblem.Of("nope", null, isComplete: true)!;

        var status = RouteStatusBuilder.Build(Outcome("HTTPRoute") with { ClassProblem = problem }, Now);

        Programmed(status).Reason.Should().Be("Pending");
        ObjectConditions(status).Should().Equal("ResourceAppliedSuccessfully True InstallationSuccessful 7");
    }

    [Fact]
    public void Rejected_Gateway_has_no_condition_about_proxies()
    {
        var translation = EnvoyGatewayTranslation.Rejected(Translation("Gateway").Origin, "No.");

        var status = RouteStatusBuilder.Build(new RouteOutcome(Route(null), translation) { Tenant = Tenant("False") }, Now);

        ObjectConditions(status).Should().Equal("ResourceAppliedSuccessfully False InstallationFailed 7");
    }

    private static RouteStatus WithRejection(RouteStatus? before, string now) =>
        RouteStatusBuilder.Build(new RouteOutcome(Route(before), Translation("HTTPRoute")) { ProxyRejection = Rejected }, now);

    private static RouteStatus Built(string kind, JsonObject reported, string? available, string now, RouteStatus? before = null) =>
        RouteStatusBuilder.Build(
            new RouteOutcome(Route(before), Translation(kind))
            {
                Generated = new AppliedObject(1, reported, null),
                Tenant = available is null ? null : Tenant(available),
            },
            now
        );

    private static RouteOutcome Outcome(string kind) => new(Route(null), Translation(kind)) { Generated = new AppliedObject(1, [], null) };

    private static Condition Programmed(RouteStatus status) => status.Conditions!.Single(c => c.Type == "Programmed");

    private static IEnumerable<string> ObjectConditions(RouteStatus status) =>
        status.Resources!.Route!.Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.ObservedGeneration}");

    private static JsonObject Reported(string programmed, string reason) =>
        ApiJson.ToJson(
            new GatewayStatus { Conditions = [Condition("Accepted", "True", "Accepted"), Condition("Programmed", programmed, reason)] }
        );

    private static Condition Condition(string type, string status, string reason, string message = "m") =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = 1,
            LastTransitionTime = Before,
        };

    private static EnvoyGatewayTranslation Translation(string kind) =>
        new(
            new RouteOrigin("gateway.networking.k8s.io/v1", kind, "default", "x", "u"),
            kind == "Gateway"
                ? new Gateway { Metadata = new() { Name = "default-x" } }
                : new HttpRoute { Metadata = new() { Name = "default-x" } },
            [],
            null
        );

    private static Tenant Tenant(string available) =>
        new()
        {
            Metadata = new() { Name = "t" },
            Status = new TenantStatus { Conditions = [Condition("ProxiesAvailable", available, "NoProxyAvailable", NoPod)] },
        };

    private static Route Route(RouteStatus? status) =>
        new()
        {
            Metadata = new()
            {
                Name = "r",
                NamespaceProperty = "tenant-t",
                Generation = 3,
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "7" },
            },
            Status = status,
        };
}
