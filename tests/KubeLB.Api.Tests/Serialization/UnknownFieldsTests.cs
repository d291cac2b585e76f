using System.Reflection;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

public sealed class UnknownFieldsTests
{
    private static readonly Type[] Types =
    [
        typeof(Route),
        typeof(Addresses),
        typeof(Tenant),
        typeof(TenantState),
        typeof(Config),
        typeof(SyncSecret),
        typeof(Gateway),
        typeof(GatewayClass),
        typeof(HttpRoute),
        typeof(GrpcRoute),
        typeof(ReferenceGrant),
        typeof(BackendTrafficPolicy),
        typeof(PodMonitor),
    ];

    public static readonly TheoryData<Type> Kinds = new(Types);

    [Fact]
    public void Every_kind_of_the_api_is_tested() =>
        typeof(ApiObject)
            .Assembly.GetTypes()
            .Where(t => t.GetCustomAttribute<KubernetesEntityAttribute>() is not null)
            .Should()
            .BeEquivalentTo(Types);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Unknown_fields_are_kept_at_every_level(Type type)
    {
        var json = MaximalJson.Of(type);
        MaximalJson.CountUnknown(json).Should().BeGreaterThan(1, "an object's parts must have unknown fields, too");

        var result = RoundTrip(type, json);

        Differences.Between(json, result).Should().BeEmpty();
        JsonNode.DeepEquals(json, result).Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Copy_equals_its_original_and_shares_nothing(Type type)
    {
        var json = MaximalJson.Of(type);
        var original = Read(type, json);

        var copy = typeof(ApiJson).GetMethod(nameof(ApiJson.Copy))!.MakeGenericMethod(type).Invoke(null, [original])!;

        copy.Should().NotBeSameAs(original);
        JsonNode.DeepEquals(ApiJson.ToJson(copy), json).Should().BeTrue();
        ((ApiObject)copy).Unknown!.Clear();
        ((ApiObject)copy).Metadata.Labels.Clear();
        JsonNode.DeepEquals(ApiJson.ToJson(original), json).Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Absent_fields_are_not_written(Type type)
    {
        var json = new JsonObject
        {
            ["apiVersion"] = "g/v9",
            ["kind"] = "Other",
            ["metadata"] = new JsonObject { ["name"] = "n" },
        };

        JsonNode.DeepEquals(json, RoundTrip(type, json)).Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void New_object_has_apiVersion_and_kind(Type type)
    {
        var entity = type.GetCustomAttribute<KubernetesEntityAttribute>()!;

        var json = ApiJson.ToJson(Activator.CreateInstance(type)!);

        json["apiVersion"]!.GetValue<string>().Should().Be($"{entity.Group}/{entity.ApiVersion}");
        json["kind"]!.GetValue<string>().Should().Be(entity.Kind);
    }

    private static JsonObject RoundTrip(Type type, JsonNode json) => ApiJson.ToJson(Read(type, json));

    private static object Read(Type type, JsonNode json) =>
        typeof(ApiJson).GetMethod(nameof(ApiJson.Read))!.MakeGenericMethod(type).Invoke(null, [json])!;
}
