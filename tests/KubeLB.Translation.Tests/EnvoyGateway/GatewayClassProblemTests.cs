using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tests.EnvoyGateway;

/// <summary>Problems of the configured GatewayClass.</summary>
public sealed class GatewayClassProblemTests
{
    private const string Exists = "exists";

    [Theory]
    [InlineData(null, true, "GatewayClassNotFound")]
    [InlineData(null, false, null)]
    [InlineData(Exists, true, null)]
    [InlineData("True", true, null)]
    [InlineData("Unknown", true, null)]
    [InlineData("False", true, "GatewayClassNotAccepted")]
    [InlineData("False", false, "GatewayClassNotAccepted")]
    public void Class_is_a_problem_if_it_is_absent_or_rejected(string? accepted, bool isComplete, string? expected) =>
        (GatewayClassProblem.Of("nope", Class(accepted), isComplete)?.Reason).Should().Be(expected);

    [Theory]
    [InlineData(null)]
    [InlineData("False")]
    public void Only_the_message_of_the_administrator_has_the_name(string? accepted)
    {
        var problem = GatewayClassProblem.Of("nope", Class(accepted), isComplete: true)!;

        problem.Message.Should().Contain("GatewayClass nope");
        problem.TenantMessage.Should().NotContain("nope").And.Contain("no action is required");
    }

    [Fact]
    public void Rejection_is_in_the_message() =>
        GatewayClassProblem.Of("nope", Class("False"), isComplete: true)!.Message.Should().EndWith("Another class is accepted.");

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(Exists, "True", false)]
    [InlineData("Unknown", "True", false)]
    [InlineData(null, Exists, false)]
    [InlineData("True", null, false)]
    [InlineData("True", "False", false)]
    public void Only_changes_of_what_is_reported_matter(string? before, string? after, bool expected) =>
        GatewayClassProblem.IsSame(Class(before), Class(after)).Should().Be(expected);

    private static GatewayClass? Class(string? accepted) =>
        accepted switch
        {
            null => null,
            Exists => new GatewayClass(),
            _ => new GatewayClass
            {
                Status = new GatewayClassStatus
                {
                    Conditions =
                    [
                        new Condition
                        {
                            Type = "Accepted",
                            Status = accepted,
                            Reason = "Accepted",
                            Message = "Another class is accepted.",
                        },
                    ],
                },
            },
        };
}
