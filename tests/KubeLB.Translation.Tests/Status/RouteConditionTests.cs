using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>Accepted and Programmed of a Route: True only if Envoy Gateway reports it for the current generation.</summary>
public sealed class RouteConditionTests
{
    private const string Now = "2026-01-02T03:04:05Z";
    private const string Rejection = "Remove the filter.";

    private static readonly RouteOrigin Origin = new("gateway.networking.k8s.io/v1", "HTTPRoute", "default", "r", "u");

    /// <summary>
    /// What it shows; parents' conditions with the generation that they are of, parents separated by <c>|</c>; Accepted; Programmed.
    /// </summary>
    public static TheoryData<string, string, string, string> OfRoutes =>
        new()
        {
            { "nothing is said yet", "", "Unknown Pending", "Unknown Pending" },
            {
                "what was said is of an older generation",
                "Accepted=True Accepted 6;ResolvedRefs=True ResolvedRefs 6",
                "Unknown Pending",
                "Unknown Pending"
            },
            { "it serves", "Accepted=True Accepted 7;ResolvedRefs=True ResolvedRefs 7", "True Accepted", "True Programmed" },
            {
                "it may not attach",
                "Accepted=False NotAllowedByListeners 7;ResolvedRefs=True ResolvedRefs 7",
                "False NotAllowedByListeners",
                "False NotAllowedByListeners"
            },
            {
                "a backend is missing",
                "Accepted=True Accepted 7;ResolvedRefs=False BackendNotFound 7",
                "True Accepted",
                "False BackendNotFound"
            },
            { "nothing is said of references", "Accepted=True Accepted 7", "True Accepted", "Unknown Pending" },
            {
                "what is said of references is old",
                "Accepted=True Accepted 7;ResolvedRefs=True ResolvedRefs 6",
                "True Accepted",
                "Unknown Pending"
            },
            {
                "one parent of two takes it",
                "Accepted=False NoReadyListeners 7;ResolvedRefs=True ResolvedRefs 7|Accepted=True Accepted 7;ResolvedRefs=True "
                    + "ResolvedRefs 7",
                "True Accepted",
                "True Programmed"
            },
            {
                "references do not resolve at one of two that take it",
                "Accepted=True Accepted 7;ResolvedRefs=True ResolvedRefs 7|Accepted=True Accepted 7;ResolvedRefs=False RefNotPermitted 7",
                "True Accepted",
                "False RefNotPermitted"
            },
            {
                "one parent of two is answered",
                "Accepted=True Accepted 7;ResolvedRefs=True ResolvedRefs 7|Accepted=False NoReadyListeners 6",
                "True Accepted",
                "True Programmed"
            },
        };

    public static TheoryData<string, string, string, string> OfGateways =>
        new()
        {
            { "it is as it was created", "Accepted=Unknown Pending -;Programmed=Unknown Pending -", "Unknown Pending", "Unknown Pending" },
            {
                "it has no address yet",
                "Accepted=True Accepted 7;Programmed=False AddressNotAssigned 7",
                "True Accepted",
                "False AddressNotAssigned"
            },
            { "it serves", "Accepted=True Accepted 7;Programmed=True Programmed 7", "True Accepted", "True Programmed" },
            {
                "what was said is of an older generation",
                "Accepted=True Accepted 6;Programmed=True Programmed 6",
                "Unknown Pending",
                "Unknown Pending"
            },
            { "only half is said again", "Accepted=True Accepted 7;Programmed=True Programmed 6", "True Accepted", "Unknown Pending" },
        };

    [Theory]
    [MemberData(nameof(OfRoutes))]
    [Trait("Threat", "rejected-by-envoy-gateway")]
    public void Route_reports_the_conditions_of_the_current_generated_route(string what, string parents, string accepted, string programmed)
    {
        var status = new RouteParentsStatus
        {
            Parents =
            [
                .. parents
                    .Split('|', StringSplitOptions.RemoveEmptyEntries)
                    .Select(p => new RouteParentStatus { ControllerName = "c", Conditions = Read(p) }),
            ],
        };

        Of(Overview(new HttpRoute { Metadata = new() { Name = "default-r" } }, Api.Serialization.ApiJson.ToJson(status)))
            .Should()
            .Equal([accepted, programmed], what);
    }

    [Theory]
    [MemberData(nameof(OfGateways))]
    public void Gateway_reports_the_conditions_of_the_current_generated_Gateway(
        string what,
        string conditions,
        string accepted,
        string programmed
    ) =>
        Of(
                Overview(
                    new Gateway { Metadata = new() { Name = "default-g" } },
                    Api.Serialization.ApiJson.ToJson(new GatewayStatus { Conditions = Read(conditions) })
                )
            )
            .Should()
            .Equal([accepted, programmed], what);

    [Fact]
    public void Conditions_have_the_generation_of_the_Route()
    {
        var conditions = Overview(new HttpRoute { Metadata = new() { Name = "default-r" } }, []);

        conditions.Should().OnlyContain(c => c.ObservedGeneration == 3 && c.LastTransitionTime == Now);
    }

    [Fact]
    public void Invalid_status_of_the_generated_object_reports_Pending() =>
        Of(Overview(new HttpRoute { Metadata = new() { Name = "default-r" } }, new JsonObject { ["parents"] = "none" }))
            .Should()
            .Equal("Unknown Pending", "Unknown Pending");

    [Fact]
    public void Failure_reports_neither_Accepted_nor_Programmed()
    {
        Of(Build(EnvoyGatewayTranslation.Rejected(Origin, Rejection), null)).Should().Equal("False Rejected", "False Rejected");
        Of(Build(EnvoyGatewayTranslation.Failed(Origin, "No ports.", RouteConditions.PortsExhausted), null))
            .Should()
            .Equal("False PortsExhausted", "False PortsExhausted");

        var translation = new EnvoyGatewayTranslation(Origin, new HttpRoute { Metadata = new() { Name = "default-r" } }, [], null);
        Of(Build(translation, AppliedObject.Failed("Too large."))).Should().Equal("False InstallationFailed", "False InstallationFailed");
        Of(Build(translation, AppliedObject.Failed("No room.", RouteConditions.QuotaExceeded)))
            .Should()
            .Equal("False QuotaExceeded", "False QuotaExceeded");
    }

    [Fact]
    public void Long_message_is_truncated_to_the_limit_of_the_API_server()
    {
        var conditions = Build(EnvoyGatewayTranslation.Rejected(Origin, string.Concat(Enumerable.Repeat("a\U0001F600", 20_000))), null);

        foreach (var message in conditions.Select(c => c.Message))
        {
            message.Length.Should().BeInRange(32767, 32768);
            message.Should().EndWith("…");
            char.IsHighSurrogate(message[^2]).Should().BeFalse();
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("Accepted=True Accepted 6", true)]
    [InlineData("Accepted=True Accepted 7", false)]
    [InlineData("Accepted=False NotAllowedByListeners 7", false)]
    public void Status_is_postponed_until_Envoy_Gateway_reports(string parent, bool waits)
    {
        var status = new RouteParentsStatus { Parents = [new RouteParentStatus { ControllerName = "c", Conditions = Read(parent) }] };
        var now = Status("HTTPRoute", "default-r", Api.Serialization.ApiJson.ToJson(status));

        StatusWriteDecision.AwaitsEnvoyGateway(null, now).Should().Be(waits);
        now.Resources!.Route!.Conditions =
        [
            new Condition
            {
                Type = RouteConditions.ResourceAppliedSuccessfully,
                Status = "False",
                Reason = "r",
                Message = "No.",
            },
        ];
        StatusWriteDecision.AwaitsEnvoyGateway(null, now).Should().BeFalse("a failure is news");
    }

    [Fact]
    public void First_status_of_a_Gateway_is_not_postponed()
    {
        var now = Status("Gateway", "default-g", []);

        StatusWriteDecision.AwaitsEnvoyGateway(null, now).Should().BeFalse();
        StatusWriteDecision.AwaitsEnvoyGateway(Status("Gateway", "default-g", []), now).Should().BeTrue();
    }

    [Fact]
    public void Change_of_attached_routes_differs_only_in_counts()
    {
        var before = Status("Gateway", "default-g", Listener("http", 1));

        StatusWriteDecision.DiffersOnlyInCounts(before, Status("Gateway", "default-g", Listener("http", 2))).Should().BeTrue();
        StatusWriteDecision
            .DiffersOnlyInCounts(before, Status("Gateway", "default-g", Listener("http", 1)))
            .Should()
            .BeFalse("nothing changed");
        StatusWriteDecision.DiffersOnlyInCounts(before, Status("Gateway", "default-g", Listener("https", 2))).Should().BeFalse();
        StatusWriteDecision.DiffersOnlyInCounts(null, before).Should().BeFalse();
    }

    private static JsonObject Listener(string name, int routes) =>
        new() { ["listeners"] = new JsonArray(new JsonObject { ["name"] = name, ["attachedRoutes"] = routes }) };

    private static RouteStatus Status(string kind, string name, JsonObject status) =>
        new()
        {
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    Kind = kind,
                    GeneratedName = name,
                    Generation = 7,
                    Status = status,
                },
            },
        };

    private static List<Condition> Overview(ApiObject generated, JsonObject status) =>
        Build(new EnvoyGatewayTranslation(Origin, generated, [], null), new AppliedObject(7, status, null));

    private static List<Condition> Build(EnvoyGatewayTranslation translation, AppliedObject? generated) =>
        RouteStatusBuilder
            .Build(
                new RouteOutcome(
                    new Route
                    {
                        Metadata = new()
                        {
                            Name = "u",
                            NamespaceProperty = "tenant-t",
                            Generation = 3,
                        },
                    },
                    translation
                )
                {
                    Generated = generated,
                },
                Now
            )
            .Conditions!;

    private static string[] Of(List<Condition> conditions)
    {
        conditions.Select(c => c.Type).Should().Equal(RouteConditions.Accepted, RouteConditions.Programmed);
        return [.. conditions.Select(c => $"{c.Status} {c.Reason}")];
    }

    // Type=Status Reason Generation;…
    private static List<Condition> Read(string text) =>
        [
            .. text.Split(';', StringSplitOptions.RemoveEmptyEntries)
                .Select(one => one.Split('=', ' '))
                .Select(p => new Condition
                {
                    Type = p[0],
                    Status = p[1],
                    Reason = p[2],
                    Message = "m",
                    ObservedGeneration = p[3] == "-" ? null : long.Parse(p[3], null),
                    LastTransitionTime = "2025-01-01T00:00:00Z",
                }),
        ];
}
