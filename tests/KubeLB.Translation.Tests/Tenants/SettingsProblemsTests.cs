using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class SettingsProblemsTests
{
    [Fact]
    public void Valid_settings_have_no_problems()
    {
        SettingsProblems.MessageOf(null).Should().BeNull();
        SettingsProblems.MessageOf(new TenantSpec()).Should().BeNull();
        SettingsProblems
            .MessageOf(
                new ConfigSpec
                {
                    GatewayAPI = new()
                    {
                        Class = "eg",
                        Gateway = new() { Limit = 0 },
                        Route = new() { Limit = 5 },
                    },
                    Addresses = new() { NodePorts = "30000-32767,8443" },
                    AllowedDomains = ["*", "*.example.com"],
                    PropagatedLabels = ["team", "example.com/*"],
                    Limits = new()
                    {
                        RouteBytes = 1_048_576,
                        TotalBytes = 0,
                        Services = 1,
                        Ports = 1,
                    },
                    PropagatedAnnotations = new() { ["example.com/*"] = "a,b" },
                    DeniedAnnotations = ["internal/*"],
                    DefaultAnnotations = new()
                    {
                        ["all"] = new() { ["a"] = "b" },
                        ["HTTPRoute"] = new() { ["example.com/a"] = "" },
                    },
                }
            )
            .Should()
            .BeNull();
    }

    public static TheoryData<TenantSpec, string> Bad =>
        new()
        {
            {
                new() { GatewayAPI = new() { Class = "No Class" } },
                "gatewayAPI.class: invalid name \"No Class\" ignored*"
            },
            {
                new() { GatewayAPI = new() { Gateway = new() { Limit = -1 } } },
                "gatewayAPI.gateway.limit: invalid value -1 ignored*0 or more*"
            },
            {
                new() { GatewayAPI = new() { Route = new() { Limit = -2 } } },
                "gatewayAPI.route.limit: invalid value -2 ignored*0 or more*"
            },
            {
                new() { Limits = new() { RouteBytes = 1_048_577 } },
                "limits.routeBytes: invalid value 1048577 ignored; must be 0-1048576."
            },
            {
                new() { Limits = new() { TotalBytes = -1 } },
                "limits.totalBytes: invalid value -1 ignored*"
            },
            {
                new() { Limits = new() { Services = -1 } },
                "limits.services: invalid value -1 ignored*"
            },
            {
                new() { Limits = new() { Ports = -1 } },
                "limits.ports: invalid value -1 ignored*"
            },
            {
                new() { PropagatedLabels = ["team", "a["] },
                "propagatedLabels: invalid pattern \"a[[]\" ignored*"
            },
            {
                new() { GatewayAPI = new() { MaxRetries = -1 } },
                "gatewayAPI.maxRetries: invalid value -1 ignored; must be 0 or more, or absent for 10."
            },
            {
                new() { Addresses = new() { NodePorts = "32767-30000" } },
                "addresses.nodePorts: invalid value \"32767-30000\" ignored*30000-32767*"
            },
            {
                new() { Addresses = new() { NodePorts = "" } },
                "addresses.nodePorts: invalid value \"\" ignored*"
            },
            {
                new() { AllowedDomains = ["https://example.com"] },
                "allowedDomains: invalid entry \"https://example.com\" allows no hostname*"
            },
            {
                new() { AllowedDomains = [null!] },
                "allowedDomains: invalid entry*"
            },
            {
                new() { PropagatedAnnotations = new() { ["a["] = "" } },
                "propagatedAnnotations: invalid pattern \"a[[]\" ignored*"
            },
            {
                new() { PropagatedAnnotations = new() { ["kubelb.k8c.io/x"] = "" } },
                "propagatedAnnotations*KubeLB and kubectl*Remove it*"
            },
            {
                new() { DeniedAnnotations = ["a[b"] },
                "deniedAnnotations: invalid pattern \"a[[]b\" denies all keys that start with \"a\"*"
            },
            {
                new() { DeniedAnnotations = [null!] },
                "deniedAnnotations*denies all keys*"
            },
            {
                new() { DefaultAnnotations = new() { ["gateways"] = [] } },
                "defaultAnnotations: unknown kind \"gateways\" ignored*httproute*"
            },
            {
                new() { DefaultAnnotations = new() { ["all"] = new() { ["a b"] = "c" } } },
                "defaultAnnotations.all: invalid annotation key \"a b\" ignored*"
            },
            {
                new() { DefaultAnnotations = new() { ["all"] = new() { ["kubelb.k8c.io/applied"] = "c" } } },
                "defaultAnnotations.all: key \"kubelb.k8c.io/applied\" ignored*"
            },
        };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Invalid_setting_is_reported_with_valid_values(TenantSpec spec, string message)
    {
        SettingsProblems.Find(spec).Should().ContainSingle().Which.Should().Match(message.Replace("[[]", "["));
        TenantPolicy.Merge(null, new Tenant { Spec = spec }).Should().NotBeNull("it does no other harm");
    }

    [Fact]
    public void Message_of_many_problems_is_truncated() =>
        SettingsProblems
            .MessageOf(new TenantSpec { AllowedDomains = [.. Enumerable.Range(0, 10_000).Select(i => $"no domain {i}")] })!
            .Length.Should()
            .BeLessThan(5_000);
}
