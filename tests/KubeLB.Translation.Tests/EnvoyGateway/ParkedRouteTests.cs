using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.EnvoyGateway;

/// <summary>A generated route that is not served has no parents, hostnames, rules and backends, and keeps its age.</summary>
public sealed class ParkedRouteTests
{
    private const string RouteUid = "route-uid";

    private static readonly NameHolder Existing = new(IsTaken: true, RouteUid);

    [Theory]
    [InlineData(1, "HTTPRoute", "bench-web")]
    [InlineData(2, "GRPCRoute", "bench-rpc")]
    public void Route_without_parents_is_parked(int kind, string expectedKind, string name)
    {
        var json = Good(kind);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["parentRefs"] = new JsonArray();

        var translation = Translate(json, NameHolder.Free, disabled: false);

        translation.IsParked.Should().BeTrue();
        translation.Services.Should().BeEmpty();
        translation.Retries.Should().BeNull();
        (translation.Generated!.Kind, translation.Generated.Name).Should().Be((expectedKind, name));
        IsEmpty(translation.Generated).Should().BeTrue();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Existing_route_of_a_disabled_kind_is_parked(bool exists, bool isParked)
    {
        var translation = Translate(Good(1), exists ? Existing : NameHolder.Free, disabled: true);

        translation.IsRejected.Should().BeTrue();
        translation.Generated.Should().BeNull();
        (translation.Parked is not null).Should().Be(isParked);
        (translation.Parked is null || IsEmpty(translation.Parked)).Should().BeTrue();
    }

    [Fact]
    public void Gateway_is_not_parked() => Translate(Good(0), Existing, disabled: true).Parked.Should().BeNull();

    [Fact]
    public void Route_that_is_rejected_for_another_reason_is_not_parked()
    {
        var json = Good(1);
        json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["hostnames"] = new JsonArray("%ENVIRONMENT(PATH)%\n");

        var translation = Translate(json, Existing, disabled: false);

        translation.IsRejected.Should().BeTrue();
        translation.Parked.Should().BeNull();
    }

    private static bool IsEmpty(ApiObject generated) =>
        generated is IGatewayRoute { ParentRefs.Count: 0, Hostnames.Count: 0, Rules.Count: 0 };

    private static JsonObject Good(int kind)
    {
        var json = HostileRoutes.Good(kind);
        json["metadata"]!["uid"] = RouteUid;
        return json;
    }

    private static EnvoyGatewayTranslation Translate(JsonObject json, NameHolder holder, bool disabled) =>
        EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            disabled
                ? TenantPolicy.Merge(
                    null,
                    new Tenant { Spec = ApiJson.Read<TenantSpec>(JsonNode.Parse("""{"gatewayAPI":{"disable":true}}""")!) }
                )
                : TenantPolicy.Default,
            new ManagementStub(holder),
            _ => 10_000
        );
}
