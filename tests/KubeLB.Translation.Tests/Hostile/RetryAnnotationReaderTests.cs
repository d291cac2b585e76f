using KubeLB.Api.EnvoyGateway;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tests.Hostile;

[Trait("Threat", "retries")]
public sealed class RetryAnnotationReaderTests
{
    private const int MaxRetries = 10;

    [Theory]
    [InlineData("5xx", "5xx", "")]
    [InlineData("5xx,reset,connect-failure", "5xx,reset,connect-failure", "")]
    [InlineData("  gateway-error ,\treset-before-request , retriable-4xx", "gateway-error,reset-before-request,retriable-4xx", "")]
    [InlineData(
        "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable,refused-stream",
        "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable,refused-stream",
        ""
    )]
    [InlineData("503", "retriable-status-codes", "503")]
    [InlineData("5xx, 429, 409", "5xx,retriable-status-codes", "429,409")]
    [InlineData("retriable-status-codes,100,599", "retriable-status-codes", "100,599")]
    [InlineData("retriable-status-codes", "retriable-status-codes", "")]
    [InlineData("reset,reset,503,503,reset", "reset,retriable-status-codes", "503")]
    public void Retry_on_is_a_distinct_list_of_triggers_and_status_codes(string value, string triggers, string codes)
    {
        var (policy, problem) = Read((RetryAnnotations.RetryOn, value));

        problem.Should().BeNull();
        string.Join(",", policy!.RetryOn!.Triggers!).Should().Be(triggers);
        string.Join(",", policy.RetryOn.HttpStatusCodes ?? []).Should().Be(codes);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("   ", "")]
    [InlineData("5xx,", "")]
    [InlineData("5xx,,reset", "")]
    [InlineData("5XX", "5XX")]
    [InlineData("5xx reset", "5xx reset")]
    [InlineData("5xx;reset", "5xx;reset")]
    [InlineData("envoy-ratelimited", "envoy-ratelimited")]
    [InlineData("99", "99")]
    [InlineData("099", "099")]
    [InlineData("600", "600")]
    [InlineData("1000", "1000")]
    [InlineData("-503", "-503")]
    [InlineData("+503", "+503")]
    [InlineData("٥٠٣", "٥٠٣")]
    [InlineData("500-599", "500-599")]
    public void Retry_on_with_invalid_entry_is_rejected(string value, string entry)
    {
        var problem = Problem((RetryAnnotations.RetryOn, value));

        problem
            .Should()
            .StartWith($"gateway.envoyproxy.io/retry-on: invalid entry \"{entry}\"; use")
            .And.Contain("5xx, reset,")
            .And.EndWith("status codes 100-599, separated by commas.");
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("3", 3)]
    [InlineData(" 3 ", 3)]
    [InlineData("10", 10)]
    public void Num_retries_is_a_whole_number(string value, int expected) =>
        Read((RetryAnnotations.NumRetries, value)).Policy!.NumRetries.Should().Be(expected);

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("three")]
    [InlineData("1,000")]
    public void Invalid_num_retries_is_rejected(string value) =>
        Problem((RetryAnnotations.NumRetries, value))
            .Should()
            .Be($"gateway.envoyproxy.io/num-retries: invalid value \"{value}\"; must be a whole number, 0-10.");

    [Theory]
    [InlineData("11")]
    [InlineData("1000000000")]
    [InlineData("2147483648")]
    [InlineData("99999999999999999999")]
    public void Num_retries_above_the_maximum_is_rejected(string value) =>
        Problem((RetryAnnotations.NumRetries, value))
            .Should()
            .Be(
                $"gateway.envoyproxy.io/num-retries: {value} exceeds the maximum of 10. Set a lower value, or ask the administrator of the "
                    + "management cluster to raise gatewayAPI.maxRetries."
            );

    [Fact]
    public void Maximum_of_the_settings_is_used()
    {
        var annotations = new Dictionary<string, string> { [RetryAnnotations.NumRetries] = "12" };

        RetryAnnotationReader.Read(annotations, maxRetries: 12).Policy!.NumRetries.Should().Be(12);
        RetryAnnotationReader.Read(annotations, maxRetries: 0).Problem.Should().Contain("exceeds the maximum of 0");
    }

    [Theory]
    [InlineData("0s")]
    [InlineData("500ms")]
    [InlineData("1h2m3s4ms")]
    [InlineData("99999h")]
    [InlineData("1s1s1s1s")]
    public void Timeout_is_a_Gateway_API_duration_and_is_unchanged(string value) =>
        Read((RetryAnnotations.PerTryTimeout, value)).Policy!.PerRetry!.Timeout.Should().Be(value);

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("1.5s")]
    [InlineData("-1s")]
    [InlineData("+1s")]
    [InlineData("100us")]
    [InlineData("100µs")]
    [InlineData("1d")]
    [InlineData("1 s")]
    [InlineData("100000s")]
    [InlineData("1s1s1s1s1s")]
    [InlineData("1S")]
    [InlineData("P1D")]
    [InlineData("1s\n1s")]
    public void Duration_outside_Gateway_API_is_rejected(string value)
    {
        foreach (var key in new[] { RetryAnnotations.PerTryTimeout, RetryAnnotations.BackOffBaseInterval })
        {
            Problem((key, value))
                .Should()
                .StartWith($"{key}: invalid Gateway API duration \"{value.Replace("\n", "\\n")}\"; use")
                .And.Contain("500ms");
        }
    }

    [Fact]
    public void Intervals_are_parsed()
    {
        var backOff = Read(
            (RetryAnnotations.BackOffBaseInterval, "100ms"),
            (RetryAnnotations.BackOffMaxInterval, "1m")
        ).Policy!.PerRetry!.BackOff!;

        backOff.BaseInterval.Should().Be("100ms");
        backOff.MaxInterval.Should().Be("1m");
    }

    [Fact]
    public void Equal_intervals_in_other_units_are_accepted() =>
        Read((RetryAnnotations.BackOffBaseInterval, "1000ms"), (RetryAnnotations.BackOffMaxInterval, "1s")).Problem.Should().BeNull();

    [Theory]
    [InlineData("2s", "1999ms", "is less than gateway.envoyproxy.io/retry-back-off-base-interval (\"2s\"); must be at least as long.")]
    [InlineData("0s", "1s", "invalid value \"0s\"; must be greater than zero.")]
    [InlineData("0h0m", null, "invalid value \"0h0m\"; must be greater than zero.")]
    [InlineData(null, "1s", "requires gateway.envoyproxy.io/retry-back-off-base-interval")]
    [InlineData("1s", "0s", "is less than gateway.envoyproxy.io/retry-back-off-base-interval")]
    public void Intervals_that_Envoy_rejects_are_rejected(string? first, string? longest, string expected) =>
        Problem((RetryAnnotations.BackOffBaseInterval, first), (RetryAnnotations.BackOffMaxInterval, longest)).Should().Contain(expected);

    [Fact]
    public void Every_invalid_annotation_is_reported_and_no_policy_results()
    {
        var (policy, problem) = Read(
            (RetryAnnotations.RetryOn, "5xx"),
            (RetryAnnotations.NumRetries, "-1"),
            (RetryAnnotations.PerTryTimeout, "1.5s")
        );

        policy.Should().BeNull();
        problem
            .Should()
            .Contain("num-retries: invalid value \"-1\"")
            .And.Contain("retry-per-try-timeout: invalid Gateway API duration \"1.5s\"")
            .And.NotContain("retry-on:");
    }

    [Fact]
    public void Value_of_any_content_is_quoted_on_one_line()
    {
        var problem = Problem((RetryAnnotations.RetryOn, "\u0007\r\n\ud800" + new string('x', 250_000)));

        problem.Length.Should().BeLessThan(1000);
        problem.Should().NotContainAny("\n", "\r", "\u0007", "\ud800");
    }

    [Fact]
    public void Other_annotations_result_in_no_policy()
    {
        Read(("gateway.envoyproxy.io/circuit-breaker", "x"), ("example.com/retry-on", "5xx"), ("gateway.envoyproxy.io/Retry-On", "x"))
            .Should()
            .Be((null, null));
        RetryAnnotationReader.Read(null, MaxRetries).Should().Be((null, null));
    }

    private static string Problem(params (string Key, string? Value)[] annotations)
    {
        var (policy, problem) = Read(annotations);
        policy.Should().BeNull();
        return problem!;
    }

    private static (RetryPolicy? Policy, string? Problem) Read(params (string Key, string? Value)[] annotations) =>
        RetryAnnotationReader.Read(annotations.Where(a => a.Value is not null).ToDictionary(a => a.Key, a => a.Value!), MaxRetries);
}
