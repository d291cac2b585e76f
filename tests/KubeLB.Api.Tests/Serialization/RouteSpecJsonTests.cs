using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.Serialization;

/// <summary>A Route's spec is kept as it was written, whatever it is.</summary>
public sealed class RouteSpecJsonTests
{
    private const string Identity =
        "{\"source\":{\"kubernetes\":{\"resource\":{\"kind\":\"HTTPRoute\",\"apiVersion\":\"v1\","
        + "\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"namespace\":\"ns\"}}}}}";

    [Theory]
    [InlineData("{}")]
    [InlineData("5")]
    [InlineData("1e400")]
    [InlineData("true")]
    [InlineData("\"x\"")]
    [InlineData("[5,null,[],true]")]
    [InlineData("""{"endpoints":{},"source":[]}""")]
    [InlineData(
        """{"source":{"kubernetes":{"services":[{"metadata":{"creationTimestamp":"yesterday"},"spec":{"ports":[{"targetPort":1.5}]}}]}}}"""
    )]
    [InlineData("""{"future":{"a":[0.10,1e300]}}""")]
    public void Spec_is_written_as_it_was_read(string spec)
    {
        var route = Read(spec);
        var copy = ApiJson.Copy(route);

        Encoding.UTF8.GetString(route.Spec!.Utf8).Should().Be(spec);
        Encoding.UTF8.GetString(copy.Spec!.Utf8).Should().Be(spec);
        KubernetesJson.Serialize(route).Should().Contain($"\"spec\":{spec}");
    }

    [Fact]
    public void Null_spec_is_absent() => Read("null").Spec.Should().BeNull();

    [Theory]
    [InlineData(RouteSpecJson.MaxDepth, "{\"a\":", "}")]
    [InlineData(RouteSpecJson.MaxDepth, "[", "]")]
    public void Spec_at_the_limit_of_depth_is_kept(int levels, string open, string close)
    {
        var spec = Nested(levels, open, close);

        Encoding.UTF8.GetString(Read(spec).Spec!.Utf8).Should().Be(spec);
        ApiJson.ToJson(Read(spec))["spec"]!.ToJsonString().Should().Be(spec);
    }

    [Theory]
    [InlineData(RouteSpecJson.MaxDepth + 1, "{\"a\":", "}")]
    [InlineData(RouteSpecJson.MaxDepth + 1, "[", "]")]
    [InlineData(5_000, "{\"a\":", "}")]
    [InlineData(5_000, "[", "]")]
    public void Spec_beyond_the_limit_of_depth_is_replaced_by_the_reason_which_copies_keep(int levels, string open, string close)
    {
        var route = Read(Nested(levels, open, close));

        Encoding.UTF8.GetString(route.Spec!.Utf8).Should().Be("\"nested more than 50 levels deep\"");
        ApiJson.Copy(route).Spec!.Utf8.ToArray().Should().Equal(route.Spec.Utf8.ToArray());
        route.Metadata.Name.Should().Be("r", "what comes after the spec is read");
    }

    [Fact]
    public void Spec_beyond_the_maximum_size_keeps_the_identity_and_the_size_also_in_copies()
    {
        var spec = """
            {"source":{"kubernetes":{"resource":{"spec":{"a":"LONG"},"kind":"HTTPRoute","apiVersion":"v1",
            "metadata":{"labels":{"name":"x"},"uid":"u","name":"n","namespace":"ns"}}}},"endpoints":[]}
            """;
        spec = spec.Replace("LONG", new string('x', RouteSpecJson.MaxSize));

        foreach (var route in new[] { Read(spec), ApiJson.Copy(Read(spec)), ApiJson.Copy(ApiJson.Copy(Read(spec))) })
        {
            route.Spec!.IsDropped.Should().BeTrue();
            route.Spec.Size.Should().Be(Encoding.UTF8.GetByteCount(spec));
            Encoding.UTF8.GetString(route.Spec.Utf8).Should().Be(Identity);
            route.Metadata.Name.Should().Be("r", "what comes after the spec is read");
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("""{"source":5}""")]
    [InlineData("""{"source":{"kubernetes":{"resource":[{"kind":"a"}]}}}""")]
    [InlineData("""{"source":{"kubernetes":{"resource":{"kind":{"kind":"a"},"metadata":[1]}}}}""")]
    public void Any_spec_can_be_dropped(string spec)
    {
        var route = Read(spec);

        route.Spec!.Drop();

        route.Spec.IsDropped.Should().BeTrue();
        route.Spec.Size.Should().Be(spec.Length);
        ApiJson.Copy(route).Spec!.IsDropped.Should().BeTrue();
    }

    [Fact]
    public void Typed_spec_is_the_same_after_a_round_trip()
    {
        var json = MaximalJson.Of(typeof(RouteSpec));

        JsonNode.DeepEquals(ApiJson.ToJson(Read(json.ToJsonString()).Spec!.Read()), json).Should().BeTrue();
    }

    private static Route Read(string spec)
    {
        JsonSerializerOptions? options = null;
        KubernetesJson.AddJsonOptions(o => options = new(o) { MaxDepth = 10_000 });
        return JsonSerializer.Deserialize<Route>($$"""{"spec":{{spec}}, "metadata":{"name":"r"} }""", options)!;
    }

    private static string Nested(int levels, string open, string close) =>
        string.Concat(Enumerable.Repeat(open, levels)) + (open == "[" ? "" : "1") + string.Concat(Enumerable.Repeat(close, levels));
}
