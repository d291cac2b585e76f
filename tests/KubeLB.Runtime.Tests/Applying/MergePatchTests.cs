using System.Text.Json.Nodes;
using CsCheck;
using KubeLB.Runtime.Applying;

namespace KubeLB.Runtime.Tests.Applying;

public sealed class MergePatchTests
{
    /// <summary>The test cases of RFC 7386, appendix A.</summary>
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""["a","b"]""", """["c","d"]""", """["c","d"]""")]
    [InlineData("""{"a":"b"}""", """["c"]""", """["c"]""")]
    [InlineData("""{"a":"foo"}""", "null", "null")]
    [InlineData("""{"a":"foo"}""", "\"bar\"", "\"bar\"")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""[1,2]""", """{"a":"b","c":null}""", """{"a":"b"}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void Patch_result_matches_the_RFC(string target, string patch, string result) =>
        JsonNode.DeepEquals(MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)), JsonNode.Parse(result)).Should().BeTrue();

    [Fact]
    public void Applying_a_diff_results_in_the_target() =>
        Gen.Select(Objects(3), Objects(3))
            .Sample(
                (from, to) =>
                {
                    var (before, after) = (from.ToJsonString(), to.ToJsonString());
                    var patch = MergePatch.Diff(from, to);
                    var patched = patch is null ? from : MergePatch.Apply(from, patch);
                    JsonNode.DeepEquals(patched, to).Should().BeTrue($"{before} + {patch?.ToJsonString()} should give {after}");
                    from.ToJsonString().Should().Be(before);
                    to.ToJsonString().Should().Be(after);
                    (patch is null).Should().Be(JsonNode.DeepEquals(from, to));
                },
                iter: 2000
            );

    [Fact]
    public void Diff_contains_no_equal_fields() =>
        MergePatch
            .Diff(Parse("""{"a":1,"b":{"c":2,"d":3},"e":[1]}"""), Parse("""{"a":1,"b":{"c":2,"d":4},"e":[1]}"""))!
            .ToJsonString()
            .Should()
            .Be("""{"b":{"d":4}}""");

    [Theory]
    [InlineData("""{"a":1,"b":2}""", """{"a":1}""", true)]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"a":1}""", """{"b":null}""", true)]
    [InlineData("""{"b":1}""", """{"b":null}""", false)]
    [InlineData("""{"a":[{"p":1,"default":true}]}""", """{"a":[{"p":1}]}""", true)]
    [InlineData("""{"a":[{"p":1},{"p":2}]}""", """{"a":[{"p":1}]}""", false)]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""", false)]
    [InlineData("""{"a":"1"}""", """{"a":1}""", false)]
    [InlineData("""{"a":1.0}""", """{"a":1}""", true)]
    [InlineData("""{"t":"2026-01-01T10:00:00Z"}""", """{"t":"2026-01-01T10:00:00.123456Z"}""", true)]
    [InlineData("""{"t":"2026-01-01T10:00:00Z"}""", """{"t":"2026-01-01T11:00:00+01:00"}""", true)]
    [InlineData("""{"t":"2026-01-01T10:00:00.1Z"}""", """{"t":"2026-01-01T10:00:00.2Z"}""", false)]
    [InlineData("""{"t":"2026-01-01T10:00:01Z"}""", """{"t":"2026-01-01T10:00:00Z"}""", false)]
    public void Contains_ignores_only_additional_fields(string current, string desired, bool holds) =>
        JsonComparison.Contains(JsonNode.Parse(current), JsonNode.Parse(desired)).Should().Be(holds);

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;

    private static Gen<JsonObject> Objects(int depth) =>
        Gen.Select(Gen.Int[0, 4], Values(depth))
            .Array[0, 4]
            .Select(fields =>
            {
                var obj = new JsonObject();
                foreach (var (name, value) in fields)
                {
                    obj[$"f{name}"] = value.DeepClone();
                }

                return obj;
            });

    private static Gen<JsonNode> Values(int depth)
    {
        var scalars = Gen.Int[0, 3].Select(i => (JsonNode)(i == 3 ? JsonValue.Create("text") : JsonValue.Create(i)));
        return depth == 0
            ? scalars
            : Gen.OneOf(
                scalars,
                Objects(depth - 1).Select(o => (JsonNode)o),
                scalars.Array[0, 3].Select(items => (JsonNode)new JsonArray([.. items.Select(i => i.DeepClone())]))
            );
    }
}
