using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>A Gateway's status tells whether the management cluster rejected the Gateway.</summary>
public sealed class GatewayRejectionTests
{
    private const string Now = "2026-01-02T03:04:05Z";

    [Fact]
    public void Rejected_Gateway_has_the_rejection()
    {
        var rejection = new Rejection("TenantNotRegistered", "Tenant t1 is not registered.");
        var gateway = new Gateway();

        gateway.Status = GatewayStatusTranslator.Reject(gateway, rejection, Now);

        GatewayStatusTranslator.RejectionOf(gateway).Should().Be(rejection);
    }

    [Theory]
    [InlineData("True", "False", "NoResources")]
    [InlineData("Unknown", "False", "NoResources")]
    [InlineData("False", "False", "Invalid")]
    [InlineData("False", "Unknown", "NoResources")]
    public void Gateway_with_another_status_has_no_rejection(string accepted, string programmed, string reason)
    {
        var gateway = new Gateway
        {
            Status = new GatewayStatus
            {
                Conditions = [Condition("Accepted", accepted, "Accepted"), Condition("Programmed", programmed, reason)],
            },
        };

        GatewayStatusTranslator.RejectionOf(gateway).Should().BeNull();
    }

    private static Condition Condition(string type, string status, string reason) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = "m",
            LastTransitionTime = Now,
        };
}
