using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>What a Route's status says of a proxy that refuses its part of the configuration.</summary>
public sealed class ProxyConditionTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";

    private static readonly ProxyRejection Refused = new("10.0.0.7", "cluster", "no such thing");

    [Fact]
    public void What_a_proxy_refuses_is_not_programmed_in_its_own_words()
    {
        var status = Built("True", "Programmed");

        ProxyCondition.Set(status, Route(null), Refused, Now);

        status.Conditions.Should().ContainSingle().Which.Should().BeEquivalentTo(new
        {
            Type = "Programmed",
            Status = "False",
            Reason = "ProxyRejected",
            Message = "Proxy 10.0.0.7 refuses the cluster and goes on with what it had: no such thing",
            ObservedGeneration = 3,
            LastTransitionTime = Now,
        });
        status.Resources!.Route!.Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.ObservedGeneration}")
            .Should().Equal("ResourceAppliedSuccessfully True InstallationSuccessful ", "ProxyProgrammed False ProxyRejected 7");
    }

    [Fact]
    public void The_tenant_is_not_told_the_proxys_address()
    {
        var status = Built("True", "Programmed");

        ProxyCondition.Set(status, Route(null), Refused, Now);

        status.Resources!.Route!.Conditions![1].Message.Should().Be("A proxy refuses what this comes to (cluster) and goes on with what it had: no such thing");
    }

    [Fact]
    public void Said_again_it_is_the_same_to_the_letter()
    {
        var first = Built("True", "Programmed");
        ProxyCondition.Set(first, Route(null), Refused, Before);
        var again = Built("True", "Programmed");

        ProxyCondition.Set(again, Route(first), Refused, Now);

        again.Should().BeEquivalentTo(first);
        again.Conditions!.Single().LastTransitionTime.Should().Be(Before);
    }

    [Fact]
    public void What_is_not_refused_any_more_is_not_spoken_of()
    {
        var refused = Built("True", "Programmed");
        ProxyCondition.Set(refused, Route(null), Refused, Before);
        var status = Built("True", "Programmed");

        ProxyCondition.Set(status, Route(refused), rejection: null, Now);

        status.Conditions!.Single().IsTrue.Should().BeTrue();
        status.Resources!.Route!.Conditions!.Select(c => c.Type).Should().Equal("ResourceAppliedSuccessfully");
    }

    [Theory]
    [InlineData("False", "BackendNotFound", "BackendNotFound")]
    [InlineData("Unknown", "Pending", "ProxyRejected")]
    public void What_is_wrong_before_the_proxies_comes_first(string status, string reason, string expected)
    {
        var built = Built(status, reason);

        ProxyCondition.Set(built, Route(null), Refused, Now);

        built.Conditions!.Single().Reason.Should().Be(expected);
        built.Resources!.Route!.Conditions!.Should().Contain(c => c.Type == RouteConditions.ProxyProgrammed);
    }

    private static RouteStatus Built(string status, string reason) => new()
    {
        Conditions = [new Condition { Type = "Programmed", Status = status, Reason = reason, Message = "m", ObservedGeneration = 3, LastTransitionTime = Before }],
        Resources = new RouteResources
        {
            Route = new GeneratedObject
            {
                Conditions =
                [
                    new Condition { Type = "ResourceAppliedSuccessfully", Status = "True", Reason = "InstallationSuccessful", Message = "Success", LastTransitionTime = Before },
                ],
            },
        },
    };

    private static Route Route(RouteStatus? status) => new()
    {
        Metadata = new() { Name = "r", Generation = 3, Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "7" } },
        Status = status,
    };
}
