using k8s.Models;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Matching;

public sealed class LabelSelectorParseTests
{
    private static readonly Dictionary<string, string> Labels = new()
    {
        ["pool"] = "edge",
        ["example.com/tier"] = "web",
        ["empty"] = "",
    };

    [Theory]
    [InlineData("pool=edge", true)]
    [InlineData("pool==edge", true)]
    [InlineData("pool = edge", true)]
    [InlineData("pool=db", false)]
    [InlineData("pool!=db", true)]
    [InlineData("none!=db", true)]
    [InlineData("empty=", true)]
    [InlineData("pool", true)]
    [InlineData("none", false)]
    [InlineData("!none", true)]
    [InlineData("! pool", false)]
    [InlineData("pool in (web, edge)", true)]
    [InlineData("pool in(db)", false)]
    [InlineData("pool notin (db,web)", true)]
    [InlineData("none notin (db)", true)]
    [InlineData("example.com/tier=web,pool in (edge,db),!spot", true)]
    [InlineData("example.com/tier=web,pool in (web,db)", false)]
    public void Selector_has_the_meaning_of_kubectl(string text, bool matches) =>
        LabelSelectors.Matches(LabelSelectors.Parse(text), Labels).Should().Be(matches);

    [Theory]
    [InlineData("pool=edge", "pool in (edge)")]
    [InlineData("a in (b,c),d notin (e),f,!g", "a in (b,c),d notin (e),f,!g")]
    public void Selector_is_formatted_in_the_notation_of_kubectl(string text, string formatted) =>
        LabelSelectors.Format(LabelSelectors.Parse(text)).Should().Be(formatted);

    [Fact]
    public void Labels_of_a_selector_are_formatted_as_pairs() =>
        LabelSelectors
            .Format(
                new V1LabelSelector
                {
                    MatchLabels = new Dictionary<string, string> { ["team"] = "a", ["tier"] = "web" },
                }
            )
            .Should()
            .Be("team=a,tier=web");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Empty_text_selects_everything(string? text) => LabelSelectors.Parse(text).Should().BeNull();

    [Theory]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("a=b,,c", "")]
    [InlineData("a in b", "a in b")]
    [InlineData("a in (b", "a in (b")]
    [InlineData("a of (b)", "a of (b)")]
    [InlineData("-a=b", "-a=b")]
    [InlineData("a=b c", "a=b c")]
    [InlineData("x,a=_b", "a=_b")]
    [InlineData("a in (b,_c)", "a in (b,_c)")]
    [InlineData("a>1", "a>1")]
    [InlineData("Example.com/a=b", "Example.com/a=b")]
    public void Invalid_selector_is_reported_with_the_valid_forms(string text, string part) =>
        FluentActions
            .Invoking(() => LabelSelectors.Parse(text))
            .Should()
            .Throw<FormatException>()
            .WithMessage($"Invalid label selector \"{text}\": \"{part}\" is not*key in (a,b)*");
}
