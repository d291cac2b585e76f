using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Tests.Events;

public sealed class RouteStatusEventsTests
{
    private const string Ours = GatewayClass.KubelbController;

    /// <summary>What it shows; conditions of our parent before and after; the Events. <c>-</c>: no such parent.</summary>
    public static TheoryData<string, string, string, string> Changes =>
        new()
        {
            { "nothing is known yet", "", "Accepted=Unknown Pending Waiting.", "" },
            {
                "it attaches",
                "Accepted=Unknown Pending Waiting.",
                "Accepted=True Accepted Fine.",
                "Normal Accepted Attached to Gateway gw."
            },
            { "it attaches at first sight", "-", "Accepted=True Accepted Fine.", "Normal Accepted Attached to Gateway gw." },
            { "it stays attached", "Accepted=True Accepted Fine.", "Accepted=True Accepted Still.", "" },
            { "it is rejected", "", "Accepted=False UnsupportedValue Remove it.", "Warning UnsupportedValue Remove it." },
            { "it stays rejected", "Accepted=False UnsupportedValue Remove it.", "Accepted=False UnsupportedValue Remove it.", "" },
            {
                "it is rejected for something else",
                "Accepted=False UnsupportedValue Remove it.",
                "Accepted=False UnsupportedValue Remove that.",
                "Warning UnsupportedValue Remove that."
            },
            {
                "it may not attach",
                "Accepted=True Accepted Fine.",
                "Accepted=False NotAllowedByListeners No listener permits it",
                "Warning NotAllowedByListeners No listener permits it. Allow the route's namespace and kind in allowedRoutes of a "
                    + "listener, or attach to another Gateway."
            },
            {
                "it is mended",
                "Accepted=False UnsupportedValue Remove it.",
                "Accepted=True Accepted Fine.",
                "Normal Accepted Attached to Gateway gw."
            },
            {
                "a backend is missing",
                "",
                "Accepted=True Accepted Fine.;ResolvedRefs=False BackendNotFound service default/s not found.",
                "Normal Accepted Attached to Gateway gw.\nWarning BackendNotFound service default/s not found. Create the Service, "
                    + "or correct name and namespace of the backendRef."
            },
            {
                "a reference is not permitted",
                "ResolvedRefs=True ResolvedRefs Fine.",
                "ResolvedRefs=False RefNotPermitted No grant.",
                "Warning RefNotPermitted No grant."
            },
            { "references resolve as usual", "", "ResolvedRefs=True ResolvedRefs Fine.", "" },
            {
                "references resolve again",
                "ResolvedRefs=False BackendNotFound No.",
                "ResolvedRefs=True ResolvedRefs Fine.",
                "Normal ResolvedRefs All references are resolved."
            },
            {
                "a proxy rejects it",
                "Accepted=True Accepted Fine.",
                "Accepted=True Accepted Fine.;kubelb.k8c.io/ProxyProgrammed=False ProxyRejected A proxy rejects it.",
                "Warning ProxyRejected A proxy rejects it."
            },
            {
                "all proxies accept it again",
                "Accepted=True Accepted Fine.;kubelb.k8c.io/ProxyProgrammed=False ProxyRejected A proxy rejects it.",
                "Accepted=True Accepted Fine.",
                "Normal ProxyProgrammed All proxies accepted the configuration."
            },
            {
                "a backend has no endpoints",
                "Accepted=True Accepted Fine.",
                "Accepted=True Accepted Fine.;kubelb.k8c.io/BackendsReady=False NoReadyEndpoints No pod.",
                "Warning NoReadyEndpoints No pod."
            },
            {
                "a backend has endpoints again",
                "kubelb.k8c.io/BackendsReady=False NoReadyEndpoints No pod.",
                "kubelb.k8c.io/BackendsReady=True BackendsReady Fine.",
                "Normal BackendsReady All backends have ready endpoints."
            },
            {
                "backends stay ready",
                "kubelb.k8c.io/BackendsReady=True BackendsReady Fine.",
                "kubelb.k8c.io/BackendsReady=True BackendsReady Fine.",
                ""
            },
            { "rules are dropped", "", "PartiallyInvalid=True UnsupportedValue Dropped Rule 1", "Warning UnsupportedValue Dropped Rule 1" },
            { "it is released", "Accepted=True Accepted Fine.", "-", "Normal Released Detached from Gateway gw." },
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_of_the_status_reports_each_Event_once(string what, string before, string after, string events) =>
        Text(RouteStatusEvents.Between(Status(before), Status(after))).Should().Be(events, what);

    [Fact]
    public void Parents_of_other_controllers_report_no_Event() =>
        RouteStatusEvents.Between(null, Status("Accepted=False Invalid No.", "example.com/other")).Should().BeEmpty();

    [Fact]
    public void Problem_of_all_parents_reports_one_Event()
    {
        var status = Status("ResolvedRefs=False BackendNotFound No.")!;
        status.Parents.Add(Parent("ResolvedRefs=False BackendNotFound No.", Ours, "http"));

        RouteStatusEvents.Between(null, status).Should().ContainSingle();
    }

    [Fact]
    public void Parents_are_compared_with_their_listener()
    {
        var before = Status("Accepted=True Accepted Fine.")!;
        var after = Status("Accepted=True Accepted Fine.")!;
        after.Parents.Add(Parent("Accepted=False NoMatchingParent No.", Ours, "http"));

        RouteStatusEvents.Between(before, after).Should().ContainSingle().Which.IsWarning.Should().BeTrue();
    }

    private static RouteParentsStatus? Status(string conditions, string controller = Ours) =>
        conditions == "-" ? new RouteParentsStatus() : new RouteParentsStatus { Parents = [Parent(conditions, controller, null)] };

    private static RouteParentStatus Parent(string conditions, string controller, string? listener) =>
        new()
        {
            ControllerName = controller,
            ParentRef = new ParentReference { Name = "gw", SectionName = listener },
            Conditions = Conditions.Of(conditions),
        };

    private static string Text(IEnumerable<StatusEvent> events) => Conditions.Text(events);
}
