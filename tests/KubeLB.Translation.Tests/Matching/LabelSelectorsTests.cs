using k8s.Models;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Matching;

public sealed class LabelSelectorsTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["team"] = "a", ["empty"] = "" };

    [Fact]
    public void No_selector_matches_nothing() => LabelSelectors.Matches(null, Labels).Should().BeFalse();

    [Fact]
    public void An_empty_selector_matches_everything()
    {
        LabelSelectors.Matches(new V1LabelSelector(), Labels).Should().BeTrue();
        LabelSelectors.Matches(new V1LabelSelector(), new Dictionary<string, string>()).Should().BeTrue();
        var empty = new V1LabelSelector { MatchLabels = new Dictionary<string, string>(), MatchExpressions = [] };
        LabelSelectors.Matches(empty, Labels).Should().BeTrue();
    }

    [Theory]
    [InlineData("team", "a", true)]
    [InlineData("team", "b", false)]
    [InlineData("team", "A", false)]
    [InlineData("Team", "a", false)]
    [InlineData("empty", "", true)]
    [InlineData("absent", "", false)]
    public void MatchLabels(string key, string value, bool expected) =>
        LabelSelectors
            .Matches(new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [key] = value } }, Labels)
            .Should()
            .Be(expected);

    [Theory]
    [InlineData("team", "In", "a,b", true)]
    [InlineData("team", "In", "b,c", false)]
    [InlineData("absent", "In", "a", false)]
    [InlineData("team", "In", null, false)]
    [InlineData("team", "NotIn", "b,c", true)]
    [InlineData("team", "NotIn", "a,b", false)]
    [InlineData("absent", "NotIn", "a", true)]
    [InlineData("team", "NotIn", null, true)]
    [InlineData("team", "Exists", null, true)]
    [InlineData("empty", "Exists", null, true)]
    [InlineData("absent", "Exists", null, false)]
    [InlineData("team", "DoesNotExist", null, false)]
    [InlineData("absent", "DoesNotExist", null, true)]
    [InlineData("team", "Gt", "1", false)]
    [InlineData("team", "in", "a", false)]
    [InlineData("team", null, "a", false)]
    public void MatchExpressions(string key, string? @operator, string? values, bool expected) =>
        LabelSelectors
            .Matches(new V1LabelSelector { MatchExpressions = [Requirement(key, @operator, values)] }, Labels)
            .Should()
            .Be(expected);

    [Fact]
    public void All_requirements_must_be_met()
    {
        var team = new Dictionary<string, string> { ["team"] = "a" };
        V1LabelSelector With(params V1LabelSelectorRequirement[] expressions) =>
            new() { MatchLabels = team, MatchExpressions = expressions };

        LabelSelectors.Matches(With(Requirement("empty", "Exists", null)), Labels).Should().BeTrue();
        LabelSelectors.Matches(With(Requirement("absent", "Exists", null)), Labels).Should().BeFalse();
        LabelSelectors.Matches(With(Requirement("empty", "Exists", null), Requirement("team", "NotIn", "a")), Labels).Should().BeFalse();
        LabelSelectors
            .Matches(
                new V1LabelSelector
                {
                    MatchLabels = new Dictionary<string, string> { ["team"] = "a", ["empty"] = "x" },
                },
                Labels
            )
            .Should()
            .BeFalse();
    }

    private static V1LabelSelectorRequirement Requirement(string key, string? @operator, string? values) =>
        new()
        {
            Key = key,
            OperatorProperty = @operator,
            Values = values?.Split(','),
        };
}
