using KubeLB.Api;
using KubeLB.Manager.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

public sealed class TenantEventsTests
{
    private const string Blocked =
        "Waiting for 2 Routes in namespace tenant-t to be removed, for example r; HTTPRoute tenant-t/x is blocked by finalizer "
        + "example.com/mine.";

    [Theory]
    [InlineData(null, "", "Ready", "Reconciled Fine.", true)]
    [InlineData(null, "", "Pending", "WaitingForToken Soon.", false)]
    [InlineData("Pending", "WaitingForToken Soon.", "Ready", "Reconciled Fine.", true)]
    [InlineData("Ready", "Reconciled Fine.", "Ready", "Reconciled Fine.", false)]
    [InlineData("Ready", "Reconciled Fine.", "Failed", "InvalidName Another Tenant holds it.", true)]
    [InlineData("Failed", "InvalidName Another Tenant holds it.", "Failed", "InvalidName A third Tenant holds it.", true)]
    [InlineData("Ready", "Reconciled Fine.", "Terminating", "Terminating Waiting for 7 Routes.", true)]
    [InlineData("Terminating", "Terminating Waiting for 7 Routes.", "Terminating", "Terminating Waiting for 6 Routes.", false)]
    [InlineData("Terminating", "Terminating Waiting for 2 Routes.", "Terminating", "Terminating " + Blocked, true)]
    [InlineData("Terminating", "Terminating " + Blocked, "Terminating", "Terminating " + Blocked, false)]
    public void Changed_condition_is_reportable_and_a_smaller_count_is_not(
        string? phaseBefore,
        string before,
        string phase,
        string after,
        bool isReportable
    ) => TenantEvents.IsReportable(Ready(before), phaseBefore, Ready(after), phase).Should().Be(isReportable);

    private static Condition? Ready(string text) =>
        text.Length == 0
            ? null
            : new Condition
            {
                Type = "Ready",
                Status = "True",
                Reason = text.Split(' ', 2)[0],
                Message = text.Split(' ', 2)[1],
            };
}
