using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Tests.Events;

public sealed class GatewayStatusEventsTests
{
    private const string Up = "Accepted=True Accepted Fine.;Programmed=True Programmed Fine.";

    /// <summary>What it shows; address and conditions before and after; the Events.</summary>
    public static TheoryData<string, string, string, string> Changes =>
        new()
        {
            { "nothing is known yet", "", "|Accepted=Unknown Pending Waiting.;Programmed=Unknown Pending Waiting.", "" },
            {
                "it is accepted and comes up",
                "",
                "|Accepted=True Accepted Fine.;Programmed=False AddressNotAssigned No address yet.",
                "Normal Accepted Accepted by KubeLB."
            },
            {
                "it has its address",
                "|Accepted=True Accepted Fine.;Programmed=False AddressNotAssigned No address yet.",
                $"203.0.113.10|{Up}",
                "Normal Programmed Reachable at 203.0.113.10."
            },
            { "it is up as it was", $"203.0.113.10|{Up}", $"203.0.113.10|{Up}", "" },
            { "its address changes", $"203.0.113.10|{Up}", $"203.0.113.11|{Up}", "Normal Programmed Reachable at 203.0.113.11." },
            {
                "it goes down",
                $"203.0.113.10|{Up}",
                "|Accepted=True Accepted Fine.;Programmed=False NoResources No proxy.",
                "Warning NoResources No proxy."
            },
            {
                "it is rejected, which is reported once",
                $"203.0.113.10|{Up}",
                "|Accepted=False Invalid Remove it.;Programmed=False Invalid Remove it.",
                "Warning Invalid Remove it."
            },
            {
                "it is released",
                $"203.0.113.10|{Up}",
                "|Accepted=Unknown Pending Waiting for controller;Programmed=Unknown Pending Waiting for controller",
                "Normal Released No longer served by KubeLB."
            },
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_of_the_status_reports_each_Event_once(string what, string before, string after, string events) =>
        Conditions.Text(GatewayStatusEvents.Between(Status(before), Status(after))).Should().Be(events, what);

    [Fact]
    public void Invalid_listener_is_named_in_the_Event()
    {
        var after = new GatewayStatus
        {
            Listeners =
            [
                new ListenerStatus
                {
                    Name = "https",
                    Conditions = Conditions.Of("ResolvedRefs=False InvalidCertificateRef No Secret.;Programmed=False Invalid See others."),
                },
            ],
        };

        Conditions.Text(GatewayStatusEvents.Between(null, after)).Should().Be("Warning InvalidCertificateRef Listener https: No Secret.");
        GatewayStatusEvents.Between(after, after).Should().BeEmpty();
    }

    [Theory]
    [InlineData("ResolvedRefs=False InvalidCertificateRef No Secret.", "Normal ResolvedRefs Listener https is valid.")]
    [InlineData(
        "ResolvedRefs=Unknown Pending The certificate of Secret default/c is being copied.",
        "Normal ResolvedRefs Listener https is valid."
    )]
    [InlineData("ResolvedRefs=Unknown Pending Waiting.", "")]
    [InlineData("ResolvedRefs=True ResolvedRefs Fine.", "")]
    [InlineData("", "")]
    public void Listener_whose_certificate_became_valid_is_reported(string before, string events)
    {
        GatewayStatus Of(string conditions) =>
            new() { Listeners = [new ListenerStatus { Name = "https", Conditions = Conditions.Of(conditions) }] };

        Conditions.Text(GatewayStatusEvents.Between(Of(before), Of("ResolvedRefs=True ResolvedRefs Fine."))).Should().Be(events);
    }

    [Fact]
    public void Change_of_attached_routes_reports_no_Event()
    {
        var before = new GatewayStatus
        {
            Listeners =
            [
                new ListenerStatus
                {
                    Name = "http",
                    AttachedRoutes = 1,
                    Conditions = Conditions.Of("Accepted=True Accepted Fine."),
                },
            ],
        };
        var after = new GatewayStatus
        {
            Listeners =
            [
                new ListenerStatus
                {
                    Name = "http",
                    AttachedRoutes = 2,
                    Conditions = Conditions.Of("Accepted=True Accepted Fine."),
                },
            ],
        };

        GatewayStatusEvents.Between(before, after).Should().BeEmpty();
    }

    private static GatewayStatus? Status(string text)
    {
        var parts = text.Split('|', 2);
        return text.Length == 0
            ? null
            : new GatewayStatus
            {
                Addresses = parts[0].Length == 0 ? null : [new() { Value = parts[0] }],
                Conditions = Conditions.Of(parts[1]),
            };
    }
}
