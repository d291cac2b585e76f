using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Patching;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Tests.Units;

public sealed class PatchTests
{
    [Theory]
    [InlineData(
        "lists merge by key",
        """{"spec":{"ports":[{"port":80,"name":"a"},{"port":81,"name":"b"}]}}""",
        """{"spec":{"ports":[{"port":81,"name":"c"},{"port":82}]}}""",
        """{"spec":{"ports":[{"port":80,"name":"a"},{"port":81,"name":"c"},{"port":82}]}}"""
    )]
    [InlineData(
        "an item is deleted by directive",
        """{"spec":{"ports":[{"port":80},{"port":81}]}}""",
        """{"spec":{"ports":[{"$patch":"delete","port":80}]}}""",
        """{"spec":{"ports":[{"port":81}]}}"""
    )]
    [InlineData(
        "a list is replaced by directive",
        """{"spec":{"ports":[{"port":80},{"port":81}]}}""",
        """{"spec":{"ports":[{"$patch":"replace"},{"port":9}]}}""",
        """{"spec":{"ports":[{"port":9}]}}"""
    )]
    [InlineData(
        "a map is replaced by directive",
        """{"spec":{"selector":{"a":"1","b":"2"}}}""",
        """{"spec":{"selector":{"$patch":"replace","c":"3"}}}""",
        """{"spec":{"selector":{"c":"3"}}}"""
    )]
    [InlineData(
        "null deletes",
        """{"spec":{"selector":{"a":"1","b":"2"}}}""",
        """{"spec":{"selector":{"a":null}}}""",
        """{"spec":{"selector":{"b":"2"}}}"""
    )]
    [InlineData(
        "the order of a list can be set",
        """{"spec":{"ports":[{"port":80},{"port":81},{"port":82}]}}""",
        """{"spec":{"$setElementOrder/ports":[{"port":82},{"port":80},{"port":83}],"ports":[{"port":83},{"$patch":"delete","port":81}]}}""",
        """{"spec":{"ports":[{"port":82},{"port":80},{"port":83}]}}"""
    )]
    [InlineData(
        "finalizers merge as a set",
        """{"metadata":{"finalizers":["a","b"]}}""",
        """{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}}""",
        """{"metadata":{"finalizers":["b","c"]}}"""
    )]
    [InlineData(
        "owners merge by uid",
        """{"metadata":{"ownerReferences":[{"uid":"1","name":"x"}]}}""",
        """{"metadata":{"ownerReferences":[{"uid":"2","name":"y"},{"uid":"1","controller":true}]}}""",
        """{"metadata":{"ownerReferences":[{"uid":"1","name":"x","controller":true},{"uid":"2","name":"y"}]}}"""
    )]
    [InlineData(
        "lists without a key are replaced",
        """{"spec":{"externalIPs":["1.1.1.1"]}}""",
        """{"spec":{"externalIPs":["2.2.2.2"]}}""",
        """{"spec":{"externalIPs":["2.2.2.2"]}}"""
    )]
    public void Strategic_merge_patch_of_a_Service_merges_ports_by_key(string rule, string target, string patch, string expected) =>
        Strategic(typeof(V1Service), target, patch).Should().Be(expected, rule);

    [Fact]
    public void Strategic_merge_patch_with_retainKeys_removes_other_keys()
    {
        Strategic(
                typeof(V1Deployment),
                """{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}"""
                    + ""","template":{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}}}}""",
                """{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}"""
                    + ""","template":{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]}}}}"""
            )
            .Should()
            .Be(
                """{"spec":{"strategy":{"type":"Recreate"},"template":{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"}"""
                    + """,{"name":"Y","value":"2"}]}]}}}}"""
            );
    }

    [Fact]
    public void Strategic_merge_patch_without_merge_key_is_rejected()
    {
        var merge = () => Strategic(typeof(V1Service), """{"spec":{"ports":[{"port":80}]}}""", """{"spec":{"ports":[{"name":"x"}]}}""");

        merge.Should().Throw<ApiException>().WithMessage("*does not contain declared merge key: port");
    }

    [Theory]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"c":{"d":null,"e":2}}}""", """{"a":{"b":1,"c":{"e":2}}}""")]
    [InlineData("""{"a":1}""", """{"a":{"b":2}}""", """{"a":{"b":2}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[3]}""", """{"a":[3]}""")]
    [InlineData("""{"a":1}""", """{"a":null}""", """{}""")]
    public void Merge_patch_follows_RFC_7386(string target, string patch, string expected) =>
        MergePatch.Apply(Tree(target), Tree(patch)).ToJsonString().Should().Be(expected);

    [Theory]
    [InlineData("""[{"op":"add","path":"/a/-","value":3}]""", """{"a":[1,2,3]}""")]
    [InlineData("""[{"op":"add","path":"/a/0","value":0}]""", """{"a":[0,1,2]}""")]
    [InlineData("""[{"op":"replace","path":"/a/1","value":9}]""", """{"a":[1,9]}""")]
    [InlineData("""[{"op":"remove","path":"/a/0"}]""", """{"a":[2]}""")]
    [InlineData("""[{"op":"move","from":"/a","path":"/b"}]""", """{"b":[1,2]}""")]
    [InlineData("""[{"op":"copy","from":"/a/1","path":"/c"}]""", """{"a":[1,2],"c":2}""")]
    [InlineData("""[{"op":"add","path":"/x~1y~0","value":1}]""", """{"a":[1,2],"x/y~":1}""")]
    public void JSON_Patch_follows_RFC_6902(string patch, string expected) =>
        JsonPatch.Apply(Tree("""{"a":[1,2]}"""), JsonNode.Parse(patch)!.AsArray()).ToJsonString().Should().Be(expected);

    /// <summary>Each operation doubles the object.</summary>
    [Fact]
    [Trait("Threat", "api-patches")]
    public void JSON_Patch_that_copies_more_than_3_MB_is_rejected()
    {
        var operations = JsonNode
            .Parse($"[{string.Join(',', Enumerable.Range(0, 20).Select(i => $$"""{"op":"copy","from":"/a","path":"/a/c{{i}}"}"""))}]")!
            .AsArray();

        var apply = () => JsonPatch.Apply(Tree("""{"a":{"b":"text"}}"""), operations);

        apply.Should().Throw<ApiException>().Which.Status.Code.Should().Be(422);
    }

    private static string Strategic(Type type, string target, string patch) =>
        StrategicMergePatch.Apply(Tree(target), Tree(patch), TypeSchema.Of(type)).ToJsonString();

    private static JsonObject Tree(string text) => JsonNode.Parse(text)!.AsObject();
}
