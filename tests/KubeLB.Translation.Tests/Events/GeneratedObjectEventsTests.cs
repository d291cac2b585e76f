using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Tests.Events;

public sealed class GeneratedObjectEventsTests
{
    private const string Fine = "Accepted=True Accepted Fine.;Programmed=True Programmed Fine.";
    private const string Rejected = "Accepted=False Rejected Remove it.;Programmed=False Rejected Remove it.";

    /// <summary>What it shows; conditions of the Route before and after; the Events. <c>-</c>: no status.</summary>
    public static TheoryData<string, string, string, string> Changes =>
        new()
        {
            { "it comes into force", "-", Fine, "" },
            { "it is awaited", "-", "Accepted=Unknown Pending Wait.;Programmed=Unknown Pending Wait.", "" },
            { "it comes into force after a while", "Accepted=Unknown Pending Wait.;Programmed=Unknown Pending Wait.", Fine, "" },
            { "it stays in force", Fine, Fine, "" },
            { "it is rejected at first sight", "-", Rejected, "Warning Rejected Remove it." },
            { "it is rejected after an edit", Fine, Rejected, "Warning Rejected Remove it." },
            { "it stays rejected", Rejected, Rejected, "" },
            {
                "it is rejected for something else",
                Rejected,
                "Accepted=False QuotaExceeded No room.;Programmed=False QuotaExceeded No room.",
                "Warning QuotaExceeded No room."
            },
            { "it is mended", Rejected, Fine, "Normal Applied Recovered: HTTPRoute default-r is up to date." },
            {
                "it is mended, and Envoy Gateway has not answered",
                Rejected,
                "Accepted=Unknown Pending Wait.;Programmed=Unknown Pending Wait.",
                "Normal Applied Recovered: HTTPRoute default-r is up to date."
            },
            {
                "ports run out",
                Fine,
                "Accepted=False PortsExhausted None left.;Programmed=False PortsExhausted None left.",
                "Warning PortsExhausted None left."
            },
            {
                "a backend is missing",
                "-",
                "Accepted=True Accepted Fine.;Programmed=False BackendNotFound No Service s.",
                "Warning BackendNotFound No Service s. Create the Service, or correct name and namespace of the backendRef."
            },
            {
                "a proxy rejects it",
                Fine,
                "Accepted=True Accepted Fine.;Programmed=False ProxyRejected Proxy p rejects it.",
                "Warning ProxyRejected Proxy p rejects it."
            },
            { "a Gateway comes up", "-", "Accepted=True Accepted Fine.;Programmed=False AddressNotAssigned None yet.", "" },
            {
                "a Gateway loses its address",
                Fine,
                "Accepted=True Accepted Fine.;Programmed=False AddressNotAssigned None left.",
                "Warning AddressNotAssigned None left."
            },
            {
                "it may not attach",
                Fine,
                "Accepted=False NoReadyListeners None.;Programmed=False NoReadyListeners None.",
                "Warning NoReadyListeners None. Correct the Gateway; see its conditions and those of its listeners."
            },
            {
                "Envoy Gateway takes it again",
                "Accepted=False NoReadyListeners None.;Programmed=False NoReadyListeners None.",
                Fine,
                "Normal Accepted Envoy Gateway accepted the generated object."
            },
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_of_the_status_reports_each_Event_once(string what, string before, string after, string events) =>
        Conditions.Text(GeneratedObjectEvents.Between(Status(before), Status(after))).Should().Be(events, what);

    [Fact]
    public void Name_with_suffix_reports_NameTaken_once()
    {
        var given = Status(Fine, "default-r-1a2b", "default-r-s-1a2b");

        Conditions
            .Text(GeneratedObjectEvents.Between(null, given))
            .Should()
            .Be(
                "Normal NameTaken Name default-r is already in use; HTTPRoute default/r of the tenant is generated as "
                    + "default-r-1a2b.\n"
                    + "Normal NameTaken Name default-r-s is already in use; Service default/s of the tenant is generated as "
                    + "default-r-s-1a2b."
            );
        GeneratedObjectEvents.Between(given, given).Should().BeEmpty();
        GeneratedObjectEvents.Between(null, Status(Fine)).Should().BeEmpty();
    }

    [Fact]
    public void Accepted_backend_reports_ProxyProgrammed_in_any_state()
    {
        var rejected = Status("Accepted=True Accepted Fine.;Programmed=False ProxyRejected Proxy p rejects it.")!;
        rejected.Resources!.Route!.Conditions =
        [
            new Condition
            {
                Type = RouteConditions.ProxyProgrammed,
                Status = "False",
                Reason = "ProxyRejected",
                Message = "m",
            },
        ];

        Conditions
            .Text(GeneratedObjectEvents.Between(rejected, Status("Accepted=Unknown Pending Wait.;Programmed=Unknown Pending Wait.")))
            .Should()
            .Be("Normal ProxyProgrammed All proxies accepted the configuration.");
    }

    private static RouteStatus? Status(string conditions, string name = "default-r", string service = "default-r-s")
    {
        if (conditions == "-")
        {
            return null;
        }

        // What the manager itself rejects is also the condition of the object.
        var own =
            conditions.Contains("Rejected", StringComparison.Ordinal)
            || conditions.Contains("Exhausted", StringComparison.Ordinal)
            || conditions.Contains("Quota", StringComparison.Ordinal);
        return new RouteStatus
        {
            Conditions = Conditions.Of(conditions),
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    Kind = "HTTPRoute",
                    Namespace = "default",
                    Name = "r",
                    GeneratedName = name,
                    Conditions =
                    [
                        new Condition
                        {
                            Type = RouteConditions.ResourceAppliedSuccessfully,
                            Status = own ? "False" : "True",
                            Reason = "r",
                            Message = "m",
                        },
                    ],
                },
                Services = new()
                {
                    ["default/s"] = new GeneratedService
                    {
                        Kind = "Service",
                        Namespace = "default",
                        Name = "s",
                        GeneratedName = service,
                    },
                },
            },
        };
    }
}
