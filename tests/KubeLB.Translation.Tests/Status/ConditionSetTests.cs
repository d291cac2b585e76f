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
}
