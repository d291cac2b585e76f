using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class TenantPolicyTests
{
    private static readonly string[] Kinds = ["Gateway", "HTTPRoute", "GRPCRoute"];

    [Fact]
    public void Policy_without_Tenant_and_Config_has_the_defaults()
    {
        foreach (
            var policy in new[]
            {
                TenantPolicy.Merge(null, null),
                TenantPolicy.Merge(new Config(), new Tenant()),
                TenantPolicy.Merge(new Config { Spec = new() }, new Tenant { Spec = new() }),
            }
        )
        {
            policy.GatewayClass.Should().Be("eg");
            Kinds.Should().NotContain(kind => policy.IsDisabled(kind));
            policy.GatewayLimit.Should().Be(100);
            policy.RouteLimit.Should().Be(10_000);
            policy.Domains.IsEvery.Should().BeTrue();
            policy.MaxRetries.Should().Be(10);
            policy.NodePorts.ToString().Should().Be("30000-32767");
            policy.Annotations.Apply("Gateway", new Dictionary<string, string> { ["a"] = "b" }).Should().BeNull();
        }

        TenantPolicy
            .Default.Annotations.Apply("Gateway", new Dictionary<string, string> { ["a"] = "b" })
            .Should()
            .BeNull("nothing is propagated");
    }

    [Fact]
    public void Each_field_of_the_Tenant_wins_over_the_Config()
    {
        var policy = Of(
            config: new ConfigSpec
            {
                GatewayAPI = new()
                {
                    Class = "general",
                    Disable = true,
                    DisableHTTPRoute = true,
                    Gateway = new() { Limit = 3 },
                    Route = new() { Limit = 30 },
                },
                AllowedDomains = ["example.com"],
            },
            tenant: new TenantSpec
            {
                GatewayAPI = new()
                {
                    Disable = false,
                    DisableGRPCRoute = true,
                    Gateway = new() { Limit = 0 },
                },
                AllowedDomains = ["example.org"],
            }
        );

        policy.GatewayClass.Should().Be("general");
        policy.IsGatewayApiDisabled.Should().BeFalse();
        policy.IsDisabled("Gateway").Should().BeFalse();
        policy.IsDisabled("HTTPRoute").Should().BeTrue();
        policy.IsDisabled("GRPCRoute").Should().BeTrue();
        policy.GatewayLimit.Should().Be(0);
        policy.RouteLimit.Should().Be(30);
        policy.Domains.ToString().Should().Be("example.org");
    }

    [Theory]
    [InlineData(null, null, 10)]
    [InlineData(5, null, 5)]
    [InlineData(5, 0, 0)]
    [InlineData(5, -1, 5)]
    [InlineData(-1, -1, 10)]
    public void Retries_of_the_Tenant_win_and_negative_ones_are_ignored(int? config, int? tenant, int expected) =>
        Of(new ConfigSpec { GatewayAPI = new() { MaxRetries = config } }, new TenantSpec { GatewayAPI = new() { MaxRetries = tenant } })
            .MaxRetries.Should()
            .Be(expected);

    [Theory]
    [InlineData(null, null, "30000-32767")]
    [InlineData("30000-30099", null, "30000-30099")]
    [InlineData("30000-30099", "8443", "8443")]
    [InlineData("30000-30099", "none", "30000-30099")]
    [InlineData("none", "none", "30000-32767")]
    public void Node_ports_of_the_Tenant_win_and_invalid_ones_are_ignored(string? config, string? tenant, string expected) =>
        Of(new ConfigSpec { Addresses = new() { NodePorts = config } }, new TenantSpec { Addresses = new() { NodePorts = tenant } })
            .NodePorts.ToString()
            .Should()
            .Be(expected);

    [Theory]
    [InlineData(null, null, 262_144)]
    [InlineData(1000, null, 1000)]
    [InlineData(1000, 2000, 2000)]
    [InlineData(1000, -1, 1000)]
    [InlineData(2_000_000, 2_000_000, 262_144)]
    public void Size_limits_of_the_Tenant_win_and_invalid_ones_are_ignored(int? config, int? tenant, int expected) =>
        Of(new ConfigSpec { Limits = new() { RouteBytes = config } }, new TenantSpec { Limits = new() { RouteBytes = tenant } })
            .MaxRouteBytes.Should()
            .Be(expected);

    [Fact]
    public void Labels_of_the_setting_are_propagated_but_never_reserved_ones()
    {
        var policy = Of(new ConfigSpec { PropagatedLabels = ["*", "*/*"] }, new TenantSpec());
        var source = new Dictionary<string, string>
        {
            ["team"] = "a",
            ["argocd.argoproj.io/instance"] = "b",
            ["kubelb.k8c.io/tenant"] = "c",
            ["gateway.envoyproxy.io/x"] = "d",
        };

        policy.Labels.Apply(source).Keys.Should().BeEquivalentTo("team", "argocd.argoproj.io/instance");
        TenantPolicy.Default.Labels.Apply(source).Should().BeEmpty();
        policy.MayDiffer("Gateway", TenantPolicy.Default).Should().BeTrue();
    }

    [Fact]
    public void Settings_of_the_Config_apply_to_all_fields_that_the_Tenant_does_not_set()
    {
        var config = new ConfigSpec
        {
            GatewayAPI = new()
            {
                DisableGRPCRoute = true,
                Route = new() { Limit = 30 },
            },
        };

        Of(config, new TenantSpec()).IsDisabled("GRPCRoute").Should().BeTrue();
        Of(config, new TenantSpec()).RouteLimit.Should().Be(30);
        Of(config, new TenantSpec { GatewayAPI = new() { Route = new() { Limit = 5 } } }).RouteLimit.Should().Be(5);
    }

    [Fact]
    public void Disabled_Gateway_API_disables_every_kind() =>
        Kinds.Should().OnlyContain(kind => Of(new ConfigSpec { GatewayAPI = new() { Disable = true } }, new TenantSpec()).IsDisabled(kind));

    [Fact]
    public void Invalid_field_is_ignored()
    {
        var policy = Of(
            new ConfigSpec
            {
                GatewayAPI = new()
                {
                    Class = "general",
                    Gateway = new() { Limit = 3 },
                },
                AllowedDomains = ["example.com"],
            },
            new TenantSpec
            {
                GatewayAPI = new()
                {
                    Class = "No Class",
                    Gateway = new() { Limit = -1 },
                    Route = new() { Limit = -5 },
                },
                AllowedDomains = [],
            }
        );

        policy.GatewayClass.Should().Be("general");
        policy.GatewayLimit.Should().Be(3);
        policy.RouteLimit.Should().Be(10_000);
        policy.Domains.IsEvery.Should().BeFalse();
    }

    public static TheoryData<string, TenantSpec, string[]> Changes =>
        new()
        {
            { "nothing", new(), [] },
            {
                "the class as it was",
                new() { GatewayAPI = new() { Class = "eg" } },
                []
            },
            {
                "a limit",
                new()
                {
                    GatewayAPI = new()
                    {
                        Gateway = new() { Limit = 1 },
                        Route = new() { Limit = 1 },
                    },
                },
                []
            },
            {
                "all domains",
                new() { AllowedDomains = ["a.example.com", "*"] },
                []
            },
            {
                "propagation of nothing",
                new() { PropagateAllAnnotations = false, DeniedAnnotations = [] },
                []
            },
            {
                "the class",
                new() { GatewayAPI = new() { Class = "other" } },
                ["Gateway"]
            },
            {
                "everything off",
                new() { GatewayAPI = new() { Disable = true } },
                Kinds
            },
            {
                "HTTPRoutes off",
                new() { GatewayAPI = new() { DisableHTTPRoute = true } },
                ["HTTPRoute"]
            },
            {
                "GRPCRoutes off",
                new() { GatewayAPI = new() { DisableGRPCRoute = true } },
                ["GRPCRoute"]
            },
            {
                "domains",
                new() { AllowedDomains = ["example.com"] },
                Kinds
            },
            {
                "propagation",
                new() { PropagateAllAnnotations = true },
                Kinds
            },
            {
                "allowed keys",
                new() { PropagatedAnnotations = new() { ["a"] = "" } },
                Kinds
            },
            {
                "denied keys",
                new() { DeniedAnnotations = ["a"] },
                Kinds
            },
            {
                "defaults of all",
                new() { DefaultAnnotations = new() { ["all"] = new() { ["a"] = "b" } } },
                Kinds
            },
            {
                "defaults of gateways",
                new() { DefaultAnnotations = new() { ["gateway"] = new() { ["a"] = "b" } } },
                ["Gateway"]
            },
            {
                "defaults of services",
                new() { DefaultAnnotations = new() { ["service"] = new() { ["a"] = "b" } } },
                ["HTTPRoute", "GRPCRoute"]
            },
            {
                "retries",
                new() { GatewayAPI = new() { MaxRetries = 3 } },
                ["HTTPRoute", "GRPCRoute"]
            },
            {
                "node ports",
                new() { Addresses = new() { NodePorts = "30000-30999" } },
                ["HTTPRoute", "GRPCRoute"]
            },
            {
                "the same node ports",
                new() { Addresses = new() { NodePorts = " 30000-32767 " } },
                []
            },
            {
                "defaults of a kind that is not generated",
                new() { DefaultAnnotations = new() { ["ingress"] = new() { ["a"] = "b" } } },
                []
            },
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_affects_only_kinds_with_other_results(string change, TenantSpec spec, string[] concerned)
    {
        var (before, after) = (Of(new ConfigSpec(), new TenantSpec()), Of(new ConfigSpec(), spec));

        Kinds.Where(kind => after.MayDiffer(kind, before)).Should().BeEquivalentTo(concerned, change);
        Kinds.Where(kind => before.MayDiffer(kind, after)).Should().BeEquivalentTo(concerned, "it is the same the other way round");
    }

    [Fact]
    public void Same_settings_of_another_object_affect_nothing()
    {
        var spec = new TenantSpec
        {
            AllowedDomains = ["b.example.com", "a.example.com"],
            PropagatedAnnotations = new() { ["b"] = "", ["a"] = "" },
            DeniedAnnotations = ["d", "c"],
            DefaultAnnotations = new()
            {
                ["all"] = new() { ["x"] = "1", ["y"] = "2" },
            },
        };
        var same = new ConfigSpec
        {
            AllowedDomains = ["a.example.com", "b.example.com"],
            PropagatedAnnotations = new() { ["a"] = "", ["b"] = "" },
            DeniedAnnotations = ["c", "d"],
            DefaultAnnotations = new()
            {
                ["all"] = new() { ["y"] = "2", ["x"] = "1" },
            },
        };

        Kinds.Should().NotContain(kind => Of(new ConfigSpec(), spec).MayDiffer(kind, Of(same, new TenantSpec())));
    }

    [Fact]
    public void Kind_disabled_before_and_after_is_not_affected() =>
        Of(new ConfigSpec { GatewayAPI = new() { Disable = true } }, new TenantSpec())
            .MayDiffer(
                "Gateway",
                Of(
                    new ConfigSpec
                    {
                        GatewayAPI = new() { Disable = true, Class = "other" },
                        PropagateAllAnnotations = true,
                    },
                    new TenantSpec()
                )
            )
            .Should()
            .BeFalse();

    private static TenantPolicy Of(ConfigSpec config, TenantSpec tenant) =>
        TenantPolicy.Merge(new Config { Spec = config }, new Tenant { Spec = tenant });
}
