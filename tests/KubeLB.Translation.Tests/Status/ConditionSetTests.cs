using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

public sealed class ConditionSetTests
{
    [Fact]
    [Trait("Threat", "log-forgery")]
    public void Message_is_escaped_and_keeps_the_lines_of_its_problems()
    {
        var conditions = new ConditionSet(null, "2026-11-23T00:00:00Z").Set("Accepted", "False", "Invalid", "a\u001b[31m\u202e\nb", 1);

        conditions.ToList().Should().ContainSingle().Which.Message.Should().Be("a\\u001b[31m\\u202e\nb");
    }

    [Fact]
    public void Message_is_truncated_to_the_limit_of_a_condition()
    {
        var conditions = new ConditionSet(null, "2026-11-23T00:00:00Z").Set(
            "Accepted",
            "False",
            "Invalid",
            new string('\u001b', 32_768),
            1
        );

        conditions.ToList().Single().Message.Length.Should().Be(ConditionSet.MessageLimit);
    }

    [Theory]
    [InlineData("Accepted", "Accepted")]
    [InlineData("A", "A")]
    [InlineData("With_1,and:2", "With_1,and:2")]
    [InlineData("", "Unknown")]
    [InlineData(null, "Unknown")]
    [InlineData("1st", "Unknown")]
    [InlineData("with space", "Unknown")]
    [InlineData("Ends:", "Unknown")]
    [InlineData("Line\n", "Unknown")]
    public void Reason_that_the_API_server_would_reject_is_replaced(string? reason, string expected) =>
        new ConditionSet(null, "2026-11-23T00:00:00Z")
            .Set("Accepted", "False", reason!, "", 1)
            .ToList()
            .Single()
            .Reason.Should()
            .Be(expected);

    [Fact]
    public void Reason_over_the_limit_of_a_condition_is_replaced() =>
        new ConditionSet(null, "2026-11-23T00:00:00Z")
            .Set("Accepted", "False", new string('a', 1025), null!, 1)
            .ToList()
            .Should()
            .ContainSingle(c => c.Reason == "Unknown" && c.Message == "");

    [Theory]
    [InlineData("Accepted", "True", true)]
    [InlineData("kubelb.k8c.io/FieldsIgnored", "False", true)]
    [InlineData("Accepted", "Perhaps", false)]
    [InlineData("Accepted", null, false)]
    [InlineData("", "True", false)]
    [InlineData("with space", "True", false)]
    [InlineData("Upper.Case/Type", "True", false)]
    public void Condition_whose_type_or_status_the_API_server_would_reject_is_ignored(string type, string? status, bool isSet) =>
        new ConditionSet(null, "2026-11-23T00:00:00Z").Set(type, status!, "Reason", "", 1).ToList().Should().HaveCount(isSet ? 1 : 0);
}
