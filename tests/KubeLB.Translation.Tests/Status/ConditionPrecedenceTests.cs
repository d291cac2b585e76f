using CsCheck;
using KubeLB.Api;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>A status has at most the conditions that the CRDs of Gateway API permit.</summary>
public sealed class ConditionPrecedenceTests
{
    private static readonly string[] Types =
    [
        "Accepted",
        "ResolvedRefs",
        "PartiallyInvalid",
        "RouteRulesOverlap",
        "kubelb.k8c.io/BackendsReady",
        "kubelb.k8c.io/DefaultExceeded",
        "kubelb.k8c.io/FieldsIgnored",
        "kubelb.k8c.io/ProxyProgrammed",
        "kubelb.k8c.io/RetryPolicyApplied",
        "example.com/A",
        "example.com/B",
        "example.com/C",
    ];

    [Theory]
    [InlineData("Accepted=True ResolvedRefs=True", "Accepted ResolvedRefs")]
    // Types of others are dropped first.
    [InlineData("X=True Accepted=True ResolvedRefs=True A=True B=True C=True D=True E=True", "X Accepted ResolvedRefs A B C D E")]
    [InlineData(
        "A=False B=False C=False D=False E=False F=False Accepted=True ResolvedRefs=True kubelb.k8c.io/BackendsReady=True",
        "A B C D E Accepted ResolvedRefs kubelb.k8c.io/BackendsReady"
    )]
    // A problem before what is in order, also if True reports it.
    [InlineData(
        "kubelb.k8c.io/RetryPolicyApplied=True kubelb.k8c.io/BackendsReady=True A=True B=True C=True D=True Accepted=True "
            + "ResolvedRefs=True kubelb.k8c.io/FieldsIgnored=True kubelb.k8c.io/DefaultExceeded=True RouteRulesOverlap=True "
            + "PartiallyInvalid=True kubelb.k8c.io/ProxyProgrammed=False",
        "kubelb.k8c.io/BackendsReady Accepted ResolvedRefs kubelb.k8c.io/FieldsIgnored kubelb.k8c.io/DefaultExceeded "
            + "RouteRulesOverlap PartiallyInvalid kubelb.k8c.io/ProxyProgrammed"
    )]
    public void Most_urgent_conditions_are_kept_in_their_order(string conditions, string kept) =>
        ConditionPrecedence
            .Limit([
                .. conditions
                    .Split(' ')
                    .Select(text => text.Split('='))
                    .Select(parts => new Condition { Type = parts[0], Status = parts[1] }),
            ])
            .Select(c => c.Type)
            .Should()
            .Equal(kept.Split(' '));

    [Fact]
    public void Conditions_of_Gateway_API_are_never_dropped() =>
        Gen.Shuffle(Types)
            .Select(Gen.Bool.Array[Types.Length])
            .Sample(
                (types, states) =>
                {
                    var conditions = types.Zip(
                        states,
                        (type, isTrue) => new Condition { Type = type, Status = ConditionStatus.Of(isTrue) }
                    );

                    var kept = ConditionPrecedence.Limit([.. conditions]);

                    kept.Should().HaveCount(ConditionPrecedence.Maximum);
                    kept.Select(c => c.Type).Should().Contain(["Accepted", "ResolvedRefs"]).And.OnlyHaveUniqueItems();
                }
            );
}
