using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class AnnotationRulesTests
{
    private static readonly Dictionary<string, string> Source = new()
    {
        ["dns.example.com/target"] = "a",
        ["internal.example.com/id"] = "1",
        ["plain"] = "x",
        ["gateway.envoyproxy.io/retry-on"] = "5xx",
        ["kubelb.k8c.io/applied"] = "{}",
        ["kubectl.kubernetes.io/last-applied-configuration"] = "{}",
    };

    [Fact]
    public void Nothing_is_propagated_without_settings() => Keys(new ConfigSpec()).Should().BeEmpty();

    [Fact]
    public void Unreserved_annotations_are_propagated_with_propagateAll() =>
        Keys(new ConfigSpec { PropagateAllAnnotations = true })
            .Should()
            .BeEquivalentTo("dns.example.com/target", "internal.example.com/id", "plain");

    [Theory]
    [InlineData("*/*", false)]
    [InlineData("*.envoyproxy.io/*", false)]
    [InlineData("gateway.envoyproxy.io/*", true)]
    [InlineData("gateway.envoyproxy.io/retry-on", true)]
    [InlineData("gateway.envoyproxy.io/other", false)]
    [Trait("Threat", "envoy-gateway-annotations")]
    public void Annotations_of_Envoy_Gateway_require_a_key_of_their_group(string key, bool passes)
    {
        foreach (var all in new[] { true, false })
        {
            Keys(
                    new ConfigSpec
                    {
                        PropagateAllAnnotations = all,
                        PropagatedAnnotations = new() { [key] = "" },
                    }
                )
                .Contains("gateway.envoyproxy.io/retry-on")
                .Should()
                .Be(passes);
        }
    }

    [Theory]
    [InlineData("kubelb.k8c.io/applied")]
    [InlineData("kubectl.kubernetes.io/*")]
    public void Annotations_of_KubeLB_and_kubectl_are_never_propagated(string key) =>
        Keys(new ConfigSpec { PropagatedAnnotations = new() { [key] = "" } }).Should().BeEmpty();

    [Theory]
    [InlineData("", true)]
    [InlineData("a", true)]
    [InlineData("b, a ,c", true)]
    [InlineData("b,c", false)]
    [InlineData("A", false)]
    [InlineData("ab", false)]
    public void Key_is_propagated_with_an_allowed_value(string values, bool passes) =>
        Keys(new ConfigSpec { PropagatedAnnotations = new() { ["dns.example.com/*"] = values } })
            .Contains("dns.example.com/target")
            .Should()
            .Be(passes);

    [Fact]
    public void One_matching_pattern_is_sufficient() =>
        Keys(
                new ConfigSpec
                {
                    PropagatedAnnotations = new() { ["dns.example.com/*"] = "no", ["*/target"] = "a" },
                }
            )
            .Should()
            .Equal("dns.example.com/target");

    [Fact]
    [Trait("Threat", "envoy-gateway-annotations")]
    public void Denied_annotation_is_never_propagated() =>
        Keys(
                new ConfigSpec
                {
                    PropagateAllAnnotations = true,
                    PropagatedAnnotations = new() { ["internal.example.com/id"] = "1" },
                    DeniedAnnotations = ["internal.example.com/*", "plain"],
                }
            )
            .Should()
            .Equal("dns.example.com/target");

    [Fact]
    public void Key_is_denied_whether_propagated_or_not()
    {
        var rules = AnnotationRules.Merge(new ConfigSpec { DeniedAnnotations = ["gateway.envoyproxy.io/*"] }, null);

        rules.Denies("gateway.envoyproxy.io/retry-on").Should().BeTrue();
        rules.Denies("example.com/a").Should().BeFalse();
    }

    [Fact]
    public void Invalid_denied_pattern_denies_its_literal_prefix() =>
        Keys(new ConfigSpec { PropagateAllAnnotations = true, DeniedAnnotations = ["internal.[example.com/*"] })
            .Should()
            .BeEquivalentTo("dns.example.com/target", "plain");

    [Fact]
    public void Defaults_are_added_by_kind_and_do_not_override()
    {
        var spec = new ConfigSpec
        {
            PropagatedAnnotations = new() { ["plain"] = "" },
            DeniedAnnotations = ["team"],
            DefaultAnnotations = new()
            {
                ["all"] = new()
                {
                    ["plain"] = "default",
                    ["team"] = "all",
                    ["owner"] = "all",
                },
                ["httproute"] = new() { ["team"] = "http" },
                ["service"] = new() { ["only"] = "services" },
                ["gateway"] = new() { ["kubelb.k8c.io/applied"] = "no", ["no key!"] = "no" },
            },
        };

        Apply(spec, "HTTPRoute")
            .Should()
            .BeEquivalentTo(
                new Dictionary<string, string>
                {
                    ["plain"] = "x",
                    ["team"] = "http",
                    ["owner"] = "all",
                }
            );
        Apply(spec, "Gateway")
            .Should()
            .BeEquivalentTo(
                new Dictionary<string, string>
                {
                    ["plain"] = "x",
                    ["team"] = "all",
                    ["owner"] = "all",
                }
            );
        Apply(spec, AnnotationRules.Service)!.Should().Contain("only", "services");
    }

    [Fact]
    public void Propagation_of_the_Tenant_replaces_that_of_the_Config()
    {
        var config = new ConfigSpec
        {
            PropagateAllAnnotations = true,
            DeniedAnnotations = ["plain"],
            DefaultAnnotations = new() { ["all"] = new() { ["a"] = "b" } },
        };

        Rules(config, new TenantSpec())
            .Apply("Gateway", Source)!
            .Keys.Should()
            .BeEquivalentTo("dns.example.com/target", "internal.example.com/id", "a");
        Rules(config, new TenantSpec { PropagateAllAnnotations = false }).Apply("Gateway", Source)!.Keys.Should().Equal("a");
        Rules(config, new TenantSpec { PropagatedAnnotations = [], DefaultAnnotations = [] }).Apply("Gateway", Source).Should().BeNull();
        Rules(config, new TenantSpec { DeniedAnnotations = [] }).Apply("Gateway", Source)!.Keys.Should().Contain("plain");
    }

    [Fact]
    public void Invalid_annotations_are_omitted()
    {
        var source = new Dictionary<string, string>
        {
            ["a b"] = "x",
            [""] = "x",
            ["a/b/c"] = "x",
            ["null"] = null!,
            ["good"] = "x",
        };

        AnnotationRules
            .Merge(new ConfigSpec { PropagateAllAnnotations = true }, null)
            .Apply("Gateway", source)!
            .Keys.Should()
            .Equal("good");
    }

    private static AnnotationRules Rules(ConfigSpec config, TenantSpec tenant) => AnnotationRules.Merge(config, tenant);

    private static Dictionary<string, string>? Apply(ConfigSpec spec, string kind) => AnnotationRules.Merge(spec, null).Apply(kind, Source);

    private static IEnumerable<string> Keys(ConfigSpec spec) => Apply(spec, "HTTPRoute")?.Keys ?? Enumerable.Empty<string>();
}
