using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>What the status of a Route that is held back says of the proxy that rejected its new backend.</summary>
public sealed class ProxyConditionTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";

    private static readonly ProxyRejection Rejected = new("10.0.0.7", "cluster", "no such thing");

    [Fact]
    public void Rejected_backend_is_not_programmed_and_envoy_is_quoted()
    {
        var status = Built("True", "Programmed");

        ProxyCondition.Set(status, Route(null), Rejected, Now);

        status
            .Conditions.Should()
            .ContainSingle()
            .Which.Should()
            .BeEquivalentTo(
                new
                {
                    Type = "Programmed",
                    Status = "False",
                    Reason = "ProxyRejected",
                    Message = "Envoy 10.0.0.7 rejected the cluster of a new backend, so the route is not changed yet: no such thing",
                    ObservedGeneration = 3,
                    LastTransitionTime = Now,
                }
            );
        status
            .Resources!.Route!.Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.ObservedGeneration}")
            .Should()
            .Equal("ResourceAppliedSuccessfully True InstallationSuccessful ", "ProxyProgrammed False ProxyRejected 7");
    }

    [Fact]
    public void Condition_for_the_tenant_has_no_address_of_a_proxy()
    {
        var status = Built("True", "Programmed");

        ProxyCondition.Set(status, Route(null), Rejected, Now);

        status
            .Resources!.Route!.Conditions![1]
            .Message.Should()
            .Be("Envoy rejected the cluster of a new backend, so the route is not changed yet: no such thing");
    }

    [Fact]
    public void Condition_of_the_same_rejection_does_not_change()
    {
        var first = Built("True", "Programmed");
        ProxyCondition.Set(first, Route(null), Rejected, Before);
        var again = Built("True", "Programmed");

        ProxyCondition.Set(again, Route(first), Rejected, Now);

        again.Should().BeEquivalentTo(first);
        again.Conditions!.Single().LastTransitionTime.Should().Be(Before);
    }

    [Theory]
    [InlineData("False", "BackendNotFound", "BackendNotFound")]
    [InlineData("Unknown", "Pending", "ProxyRejected")]
    public void Error_of_the_route_itself_takes_precedence(string status, string reason, string expected)
    {
        var built = Built(status, reason);

        ProxyCondition.Set(built, Route(null), Rejected, Now);

        built.Conditions!.Single().Reason.Should().Be(expected);
        built.Resources!.Route!.Conditions!.Should().Contain(c => c.Type == RouteConditions.ProxyProgrammed);
    }

    private static RouteStatus Built(string status, string reason) =>
        new()
        {
            Conditions =
            [
                new Condition
                {
                    Type = "Programmed",
                    Status = status,
                    Reason = reason,
                    Message = "m",
                    ObservedGeneration = 3,
                    LastTransitionTime = Before,
                },
            ],
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    Conditions =
                    [
                        new Condition
                        {
                            Type = "ResourceAppliedSuccessfully",
                            Status = "True",
                            Reason = "InstallationSuccessful",
                            Message = "Success",
                            LastTransitionTime = Before,
                        },
                    ],
                },
            },
        };

    private static Route Route(RouteStatus? status) =>
        new()
        {
            Metadata = new()
            {
                Name = "r",
                Generation = 3,
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "7" },
            },
            Status = status,
        };
}
