using KubeLB.Api.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Routing;

public sealed class RetryRuleTests
{
    [Theory]
    [InlineData("5xx", "500,503,599", "200,404,409,499")]
    [InlineData("gateway-error", "502,503,504", "500,501,505")]
    [InlineData("retriable-4xx", "409", "400,404,429,500")]
    [InlineData("retriable-status-codes", "429,418", "500,503")]
    [InlineData("reset", "", "500,503")]
    [InlineData("connect-failure", "", "500,503")]
    public void Retry_trigger_matches_its_status_codes(string trigger, string retried, string left)
    {
        var rule = RetryRule.Of(
            new RetryPolicy
            {
                RetryOn = new RetryOn { Triggers = [trigger], HttpStatusCodes = [429, 418] },
            }
        )!;

        Numbers(retried).Where(status => !rule.Retries(status, null)).Should().BeEmpty();
        Numbers(left).Where(status => rule.Retries(status, null)).Should().BeEmpty();
    }

    [Theory]
    [InlineData("5xx", true, true)]
    [InlineData("gateway-error", true, true)]
    [InlineData("reset", true, true)]
    [InlineData("connect-failure", true, false)]
    [InlineData("reset-before-request", true, false)]
    [InlineData("retriable-4xx", false, false)]
    [InlineData("unavailable", false, false)]
    public void Retry_trigger_matches_its_failures(string trigger, bool connectFailure, bool reset)
    {
        var rule = RetryRule.Of(new RetryPolicy { RetryOn = new RetryOn { Triggers = [trigger] } })!;

        rule.Retries(AttemptFailure.ConnectFailure).Should().Be(connectFailure);
        rule.Retries(AttemptFailure.Reset).Should().Be(reset);
    }

    [Theory]
    [InlineData("cancelled", "1")]
    [InlineData("deadline-exceeded", "4")]
    [InlineData("resource-exhausted", "8")]
    [InlineData("internal", "13")]
    [InlineData("unavailable", "14")]
    public void Retry_trigger_of_gRPC_matches_its_status(string trigger, string status)
    {
        var rule = RetryRule.Of(new RetryPolicy { RetryOn = new RetryOn { Triggers = [trigger] } })!;

        rule.Retries(200, status).Should().BeTrue();
        rule.Retries(200, "0").Should().BeFalse();
        rule.Retries(200, "2").Should().BeFalse();
        rule.Retries(200, null).Should().BeFalse();
    }

    [Fact]
    public void Retry_defaults_are_those_of_Envoy_Gateway()
    {
        var rule = RetryRule.Of(new RetryPolicy())!;

        rule.NumRetries.Should().Be(2);
        rule.Retries(503, null).Should().BeTrue();
        rule.Retries(500, null).Should().BeFalse();
        rule.Retries(AttemptFailure.ConnectFailure).Should().BeTrue();
        rule.Retries(AttemptFailure.Reset).Should().BeFalse();
        rule.PerTryTimeout.Should().BeNull();
        RetryRule.Of(null).Should().BeNull();
    }

    [Fact]
    public void Retry_back_off_grows_to_its_maximum()
    {
        var rule = RetryRule.Of(
            new RetryPolicy
            {
                PerRetry = new PerRetryPolicy
                {
                    BackOff = new BackOffPolicy { BaseInterval = "100ms", MaxInterval = "1s" },
                },
            }
        )!;

        rule.Pause(1, 0.5).Should().Be(TimeSpan.FromMilliseconds(50));
        rule.Pause(2, 0.5).Should().Be(TimeSpan.FromMilliseconds(150));
        rule.Pause(100_000, 0.5).Should().Be(TimeSpan.FromMilliseconds(500));
        rule.Pause(3, 0).Should().Be(TimeSpan.Zero);
    }

    private static IEnumerable<int> Numbers(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
}
