using System.Text.Json.Nodes;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

[Trait("Threat", "shared-hostnames")]
public sealed class HostnameClaimsTests
{
    [Theory]
    [InlineData("a.com", "a.com", true)]
    [InlineData("a.com", "A.COM", true)]
    [InlineData("a.com", "b.com", false)]
    [InlineData("*.a.com", "x.a.com", true)]
    [InlineData("*.a.com", "x.y.a.com", true)]
    [InlineData("*.a.com", "a.com", false)]
    [InlineData("*.a.com", "x.ba.com", false)]
    [InlineData("*.a.com", "*.a.com", true)]
    [InlineData("*.a.com", "*.b.a.com", true)]
    [InlineData("*.a.com", "*.com", true)]
    [InlineData("*.a.com", "*.b.com", false)]
    public void Wildcard_overlaps_names_with_more_labels(string left, string right, bool isOverlap)
    {
        HostnameClaims.Overlap(left, right).Should().Be(isOverlap);
        HostnameClaims.Overlap(right, left).Should().Be(isOverlap);
    }

    [Fact]
    public void Claims_are_the_canonical_hostnames_of_listeners_and_routes()
    {
        Claims("Gateway", """{"listeners":[{"name":"a","hostname":"A.com"},{"name":"b"},{"name":"c","hostname":"*.b.com"}]}""")
            .Should()
            .Equal(["a.com", "*.b.com"], "a listener without hostname claims none");
        Claims("HTTPRoute", """{"hostnames":["a.com","a.com.","*.b.com","a b.com","*.*.com","",null]}""")
            .Should()
            .BeEmpty("null is invalid");
        Claims("HTTPRoute", """{"hostnames":["a.com","a.com.","*.b.com","a b.com","*.*.com","*",""]}""").Should().Equal("a.com", "*.b.com");
        Claims("GRPCRoute", """{"hostnames":["a.com"]}""").Should().Equal("a.com");
        Claims("HTTPRoute", "{}").Should().BeEmpty("it has the hostnames of its listeners");
    }

    [Fact]
    public void Object_with_more_hostnames_than_Gateway_API_allows_claims_none()
    {
        static string Route(int count) =>
            $$"""{"hostnames":[{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"h{i}.com\""))}}]}""";

        Claims("HTTPRoute", Route(16)).Should().HaveCount(16);
        Claims("HTTPRoute", Route(17)).Should().BeEmpty("the API server rejects the generated route");
    }

    [Fact]
    public void Claim_that_the_settings_do_not_permit_is_none()
    {
        var route = Route("HTTPRoute", """{"hostnames":["a.com","b.com"]}""");

        HostnameClaims.Permitted(route, TenantPolicy.Default).Should().Equal("a.com", "b.com");
        HostnameClaims.Permitted(route, new TenantPolicy { Domains = AllowedDomains.Parse(["a.com"]) }).Should().BeEmpty("it is rejected");
        HostnameClaims.Permitted(route, new TenantPolicy { IsHttpRouteDisabled = true }).Should().BeEmpty();
    }

    private static IReadOnlyList<string> Claims(string kind, string spec) => HostnameClaims.Of(Route(kind, spec));

    private static Route Route(string kind, string spec) =>
        ApiJson.Read<Route>(
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "r", ["namespace"] = "tenant-t" },
                ["spec"] = new JsonObject
                {
                    ["source"] = new JsonObject
                    {
                        ["kubernetes"] = new JsonObject
                        {
                            ["resource"] = new JsonObject
                            {
                                ["apiVersion"] = "gateway.networking.k8s.io/v1",
                                ["kind"] = kind,
                                ["metadata"] = new JsonObject { ["name"] = "r", ["namespace"] = "default" },
                                ["spec"] = JsonNode.Parse(spec),
                            },
                        },
                    },
                },
            }
        );
}
