using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Status;

/// <summary>
/// The reason that the tenant's object has for each failure in the management cluster. The status of the Route is the one that the manager
/// builds.
/// </summary>
public sealed class FailureReasonTests
{
    private const string Now = "2026-01-02T03:04:05Z";
    private const string Denied = "A policy of the management cluster denied the HTTPRoute: no.";

    /// <summary>What happens, the outcome in the manager, and the tenant's reasons on a route and on a Gateway.</summary>
    public static TheoryData<string, string, string, string> Failures =>
        new()
        {
            { "a quota is used up", RouteConditions.QuotaExceeded, "QuotaExceeded", "QuotaExceeded" },
            { "a webhook or policy denies it", RouteConditions.AdmissionDenied, "AdmissionDenied", "AdmissionDenied" },
            { "it is invalid", RouteConditions.InstallationFailed, "ManagementClusterRejected", "ManagementClusterRejected" },
            { "another component reports it", "SomethingElse", "UnsupportedValue", "Invalid" },
        };

    [Theory]
    [MemberData(nameof(Failures))]
    public void Object_that_the_management_cluster_rejects_has_the_reason_of_the_rejection(
        string what,
        string reason,
        string ofRoute,
        string ofGateway
    )
    {
        Accepted(Route(OfHttpRoute(AppliedObject.Failed(Denied, reason)))).Should().Be($"False {ofRoute} {Denied}", what);
        var gateway = Gateway(OfGateway(AppliedObject.Failed(Denied, reason)));
        gateway
            .Select(c => $"{c.Type} {c.Status} {c.Reason}")
            .Should()
            .Equal($"Accepted False {ofGateway}", $"Programmed False {ofGateway}");
    }

    [Fact]
    public void Route_without_a_free_proxy_port_reports_PortsExhausted()
    {
        var failed = EnvoyGatewayTranslation.Failed(Origin(HttpRoute.KindName), "No ports.", RouteConditions.PortsExhausted);

        Accepted(Route(new RouteOutcome(Source(HttpRoute.KindName), failed))).Should().Be("False PortsExhausted No ports.");
    }

    [Fact]
    public void Route_over_a_limit_reports_LimitExceeded()
    {
        var failed = EnvoyGatewayTranslation.Failed(Origin(HttpRoute.KindName), "Too many.", RouteConditions.LimitExceeded);

        Accepted(Route(new RouteOutcome(Source(HttpRoute.KindName), failed))).Should().Be("False LimitExceeded Too many.");
    }

    [Fact]
    public void Report_of_the_Go_manager_has_no_reason()
    {
        var status = OfHttpRoute(AppliedObject.Failed(Denied, RouteConditions.QuotaExceeded));
        var route = Reported(status);
        route.Status!.Conditions = null;

        Accepted(Translate(route)).Should().Be($"False UnsupportedValue {Denied}");
    }

    /// <summary>Envoy Gateway reports that the Service is missing; the tenant's route reports why.</summary>
    [Theory]
    [InlineData(RouteConditions.QuotaExceeded, "QuotaExceeded")]
    [InlineData(RouteConditions.AdmissionDenied, "AdmissionDenied")]
    [InlineData(RouteConditions.InstallationFailed, "ManagementClusterRejected")]
    public void Route_whose_generated_Service_is_rejected_reports_why(string reason, string expected)
    {
        var reported = new RouteParentsStatus
        {
            Parents =
            [
                new RouteParentStatus
                {
                    ParentRef = new ParentReference { Name = "default-gw" },
                    ControllerName = "envoy",
                    Conditions =
                    [
                        Condition(GatewayConditions.Accepted, ConditionStatus.True, "Accepted"),
                        Condition(GatewayConditions.ResolvedRefs, ConditionStatus.False, "BackendNotFound"),
                    ],
                },
            ],
        };
        var plan = new GeneratedServicePlan(
            "default/web",
            "default",
            "web",
            new k8s.Models.V1Service
            {
                Metadata = new() { Name = "default-r-web" },
                Spec = new() { Ports = [] },
            }
        );
        var outcome = OfHttpRoute(new AppliedObject(7, ApiJson.ToJson(reported), null));
        outcome = outcome with
        {
            Translation = outcome.Translation with { Services = [plan] },
            Services = new Dictionary<string, AppliedObject> { ["default/web"] = AppliedObject.Failed("No.", reason) },
        };

        Route(outcome)
            .Select(c => $"{c.Type} {c.Status} {c.Reason} {c.Message}")
            .Should()
            .Equal("Accepted True Accepted m", $"ResolvedRefs False {expected} Service default/web is not served: No.");
    }

    private static string Accepted(IEnumerable<Condition> conditions)
    {
        var accepted = conditions.Single(c => c.Type == GatewayConditions.Accepted);
        return $"{accepted.Status} {accepted.Reason} {accepted.Message}";
    }

    private static RouteOutcome OfHttpRoute(AppliedObject applied) =>
        new(
            Source(HttpRoute.KindName),
            new EnvoyGatewayTranslation(Origin(HttpRoute.KindName), new HttpRoute { Metadata = new() { Name = "default-r" } }, [], null)
        )
        {
            Generated = applied,
        };

    private static RouteOutcome OfGateway(AppliedObject applied) =>
        new(
            Source(Api.GatewayApi.Gateway.KindName),
            new EnvoyGatewayTranslation(
                Origin(Api.GatewayApi.Gateway.KindName),
                new Gateway { Metadata = new() { Name = "default-gw" } },
                [],
                null
            )
        )
        {
            Generated = applied,
        };

    private static List<Condition> Gateway(RouteOutcome outcome) =>
        GatewayStatusTranslator.Translate(TheGateway(), Reported(outcome), [], Now).Conditions!;

    private static List<Condition> Route(RouteOutcome outcome) => Translate(Reported(outcome));

    private static List<Condition> Translate(Route route)
    {
        var parent = new ParentReference { Name = "gw" };
        var source = new HttpRoute
        {
            Metadata = new()
            {
                Name = "r",
                NamespaceProperty = "default",
                Generation = 5,
            },
        };
        var gateway = SourceResource.Wrap(TheGateway(), ApiJson.ToJson(TheGateway().Spec!), services: null, "tenant-t");
        gateway.Status = new RouteStatus
        {
            Resources = new RouteResources { Route = new GeneratedObject { GeneratedName = "default-gw" } },
        };
        var translation = new RouteTranslation(
            [new ParentAttachment(parent, TheGateway(), [parent], Rejection: null)],
            new BackendResolution([], [], null),
            Desired: null
        );
        return RouteStatusTranslator
            .Translate(source, translation, route, new TenantStub { Routes = { gateway } }, Now)
            .Parents.Single()
            .Conditions;
    }

    private static Route Reported(RouteOutcome outcome)
    {
        var route = Source(outcome.Translation.Origin!.Kind);
        route.Status = RouteStatusBuilder.Build(outcome, Now);
        return route;
    }

    private static RouteOrigin Origin(string kind) =>
        new("gateway.networking.k8s.io/v1", kind, "default", kind == HttpRoute.KindName ? "r" : "gw", "u");

    private static Route Source(string kind) =>
        new()
        {
            Metadata = new()
            {
                Name = $"u-{kind}",
                NamespaceProperty = "tenant-t",
                Generation = 3,
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "5" },
            },
        };

    private static Gateway TheGateway() =>
        new()
        {
            Metadata = new()
            {
                Name = "gw",
                NamespaceProperty = "default",
                Uid = "g",
                Generation = 5,
            },
            Spec = new GatewaySpec(),
        };

    private static Condition Condition(string type, string status, string reason) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = "m",
            ObservedGeneration = 7,
            LastTransitionTime = Now,
        };
}
