using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Dashboard;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>The state of a row, from the conditions.</summary>
public sealed class RowStateTests
{
    [Theory]
    [InlineData("Accepted=True ResolvedRefs=True", HopState.Ok)]
    [InlineData("Accepted=False", HopState.Broken)]
    [InlineData("Accepted=True ResolvedRefs=False", HopState.Broken)]
    [InlineData("Accepted=Unknown ResolvedRefs=True", HopState.Waiting)]
    [InlineData("Accepted=Unknown ResolvedRefs=False", HopState.Broken)]
    [InlineData("Accepted=True kubelb.k8c.io/BackendsReady=False", HopState.Broken)]
    [InlineData("Accepted=True kubelb.k8c.io/ProxyProgrammed=False", HopState.Broken)]
    [InlineData("Accepted=True kubelb.k8c.io/FieldsIgnored=True", HopState.Warning)]
    [InlineData("Accepted=True kubelb.k8c.io/RetryPolicyApplied=False", HopState.Warning)]
    [InlineData("Accepted=True PartiallyInvalid=True", HopState.Warning)]
    [InlineData("Accepted=True Unknown=False", HopState.Ok)]
    [InlineData("", HopState.Waiting)]
    public void Route_has_the_worst_state_of_its_conditions(string conditions, HopState state) =>
        Judge(RowStates.OfRoute(Route(Parse(conditions)), null)).Should().Be(state);

    [Fact]
    public void Route_whose_change_is_not_reported_waits()
    {
        var route = Route(Parse("Accepted=True"));
        route.Metadata.Generation = 2;

        Judge(RowStates.OfRoute(route, null)).Should().Be(HopState.Waiting);
    }

    [Fact]
    public void Report_of_another_controller_is_ignored()
    {
        var route = Route(Parse("Accepted=False"));
        route.Status!.Parents[0].ControllerName = "example.com/other";

        Judge(RowStates.OfRoute(route, null)).Should().Be(HopState.Waiting);
    }

    [Theory]
    [InlineData("Accepted=True Programmed=True", "", HopState.Ok)]
    [InlineData("Accepted=True Programmed=False", "", HopState.Broken)]
    [InlineData("Accepted=Unknown", "", HopState.Waiting)]
    [InlineData("Accepted=True", "Permitted=False", HopState.Broken)]
    [InlineData("Accepted=True", "ResourceAppliedSuccessfully=False", HopState.Broken)]
    [InlineData("Accepted=True", "ResourceAppliedSuccessfully=True", HopState.Ok)]
    public void Object_that_cannot_be_read_has_the_state_of_its_Route(string conditions, string generated, HopState state) =>
        Judge(
                RowStates.OfRoute(
                    null,
                    new Route
                    {
                        Status = new RouteStatus
                        {
                            Conditions = Parse(conditions),
                            Resources = new RouteResources { Route = new GeneratedObject { Conditions = Parse(generated) } },
                        },
                    }
                )
            )
            .Should()
            .Be(state);

    [Fact]
    public void Route_that_the_manager_has_not_seen_waits() =>
        Judge(RowStates.OfRoute(Route(Parse("Accepted=True")), new Route())).Should().Be(HopState.Waiting);

    [Theory]
    [InlineData("Accepted=True Programmed=True", "Accepted=True Programmed=True", HopState.Ok)]
    [InlineData("Accepted=True Programmed=True", "Accepted=True ResolvedRefs=False", HopState.Broken)]
    [InlineData("Accepted=True Programmed=Unknown", "", HopState.Waiting)]
    [InlineData("", "", HopState.Waiting)]
    public void Gateway_has_the_worst_state_of_its_conditions_and_listeners(string conditions, string listener, HopState state) =>
        Judge(
                RowStates.OfGateway(
                    new Gateway
                    {
                        Status = new GatewayStatus
                        {
                            Conditions = Parse(conditions),
                            Listeners = [new ListenerStatus { Name = "http", Conditions = Parse(listener) }],
                        },
                    },
                    null
                )
            )
            .Should()
            .Be(state);

    [Theory]
    [InlineData("Ready", "", HopState.Ok)]
    [InlineData("Pending", "", HopState.Waiting)]
    [InlineData(null, "", HopState.Waiting)]
    [InlineData("Ready", "CcmConnected=False", HopState.Warning)]
    [InlineData("Ready", "ProxiesAvailable=False", HopState.Broken)]
    [InlineData("Failed", "Ready=False", HopState.Broken)]
    public void Tenant_has_the_worst_state_of_its_conditions(string? phase, string conditions, HopState state) =>
        Judge(
                RowStates.OfTenant(
                    new Tenant
                    {
                        Status = new TenantStatus { Phase = phase, Conditions = Parse(conditions) },
                    }
                )
            )
            .Should()
            .Be(state);

    [Theory]
    [InlineData(200, "", PathDrawing.Pods)]
    [InlineData(503, "upstream connect error or disconnect/reset before headers. reset reason: connection timeout", PathDrawing.Proxies)]
    [InlineData(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination", null)]
    [InlineData(504, "upstream request timeout", PathDrawing.Pods)]
    [InlineData(503, "no healthy upstream", null)]
    [InlineData(404, "", null)]
    [InlineData(301, "", null)]
    public void Response_says_where_the_request_ended(int status, string body, string? box)
    {
        var (state, verdict, end) = Probe.Judge(status, body);

        ProbeRequests.EndOf(new Hop("Request", state) { Message = verdict, End = end }).Should().Be(box);
    }

    private static HopState Judge(IEnumerable<Hop> problems) => Hop.Of("", [.. problems]).State;

    private static HttpRoute Route(List<Condition> conditions) =>
        new()
        {
            Metadata = { Generation = 1 },
            Status = new RouteParentsStatus
            {
                Parents =
                    conditions.Count == 0
                        ? []
                        : [new RouteParentStatus { ControllerName = GatewayClass.KubelbController, Conditions = conditions }],
            },
        };

    private static List<Condition> Parse(string conditions) =>
        [
            .. conditions
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(c => c.Split('='))
                .Select(c => new Condition
                {
                    Type = c[0],
                    Status = c[1],
                    Reason = c[0],
                    ObservedGeneration = 1,
                }),
        ];
}
