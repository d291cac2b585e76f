using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>What the Route of a Gateway says while none of the tenant's proxies serves.</summary>
public sealed class ProxyAvailabilityConditionTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";
    private const string Why = "No pod of Deployment envoy-tenant-t is available";

    [Fact]
    public void It_is_not_programmed_for_the_reason_that_the_tenant_object_has()
    {
        var status = Built("True", "Programmed");

        ProxyAvailabilityCondition.Set(status, Route(null), Tenant("False"), Now);

        status
            .Conditions.Should()
            .ContainSingle()
            .Which.Should()
            .BeEquivalentTo(
                new
                {
                    Type = "Programmed",
                    Status = "False",
                    Reason = "NoProxyAvailable",
                    Message = Why,
                    ObservedGeneration = 3,
                    LastTransitionTime = Now,
                }
            );
        status
            .Resources!.Route!.Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.ObservedGeneration}")
            .Should()
            .Equal("ResourceAppliedSuccessfully True InstallationSuccessful ", "ProxiesAvailable False NoProxyAvailable 7");
        status.Resources.Route.Conditions![1].Message.Should().Contain("503").And.NotContain("envoy-tenant-t");
    }

    [Fact]
    public void Said_again_it_is_the_same_to_the_letter()
    {
        var first = Built("True", "Programmed");
        ProxyAvailabilityCondition.Set(first, Route(null), Tenant("False"), Before);
        var again = Built("True", "Programmed");

        ProxyAvailabilityCondition.Set(again, Route(first), Tenant("False"), Now);

        again.Should().BeEquivalentTo(first);
    }

    [Theory]
    [InlineData("True")]
    [InlineData(null)]
    public void Once_a_proxy_serves_it_is_not_spoken_of(string? ofTenant)
    {
        var unavailable = Built("True", "Programmed");
        ProxyAvailabilityCondition.Set(unavailable, Route(null), Tenant("False"), Before);
        var status = Built("True", "Programmed");

        ProxyAvailabilityCondition.Set(status, Route(unavailable), ofTenant is null ? null : Tenant(ofTenant), Now);

        status.Should().BeEquivalentTo(Built("True", "Programmed"));
    }

    [Fact]
    public void Where_envoy_gateway_does_not_serve_either_that_comes_first()
    {
        var status = Built("False", "AddressNotAssigned");

        ProxyAvailabilityCondition.Set(status, Route(null), Tenant("False"), Now);

        status.Conditions!.Single().Reason.Should().Be("AddressNotAssigned");
    }

    [Theory]
    [InlineData("HTTPRoute", "default-r")]
    [InlineData("GRPCRoute", "default-r")]
    [InlineData("Gateway", null)]
    public void Routes_and_what_is_refused_say_nothing_of_it(string kind, string? generatedName)
    {
        var status = Built("True", "Programmed", kind, generatedName);

        ProxyAvailabilityCondition.Set(status, Route(null), Tenant("False"), Now);

        status.Should().BeEquivalentTo(Built("True", "Programmed", kind, generatedName));
    }

    private static RouteStatus Built(string status, string reason, string kind = "Gateway", string? generatedName = "default-gw") =>
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
                    Kind = kind,
                    GeneratedName = generatedName,
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

    private static Tenant Tenant(string status) =>
        new()
        {
            Metadata = new() { Name = "t" },
            Status = new TenantStatus
            {
                Conditions =
                [
                    new Condition
                    {
                        Type = "ProxiesAvailable",
                        Status = status,
                        Reason = "NoProxyAvailable",
                        Message = Why,
                    },
                ],
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
