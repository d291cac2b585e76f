using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tests.Units;

/// <summary>Short texts with aliases must not become large trees.</summary>
public sealed class YamlAliasTests
{
    private const long MaxAllocated = 1_000_000_000;

    public static TheoryData<string> Bombs() => ["lists", "mappings", "merges", "long strings", "long keys", "anchors in anchors"];

    [Theory]
    [MemberData(nameof(Bombs))]
    [Trait("Threat", "yaml-aliases")]
    public void Excessive_aliases_are_rejected_with_little_memory(string kind)
    {
        var text = Bomb(kind);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var parse = () => YamlReading.ParseAll(text);

        parse.Should().Throw<FormatException>().WithMessage("error converting YAML to JSON: yaml: document contains excessive aliasing");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MaxAllocated);
    }

    [Fact]
    public void Aliases_of_a_usual_document_are_accepted()
    {
        var text =
            "labels: &labels {app: shop, tier: web}\n"
            + string.Concat(Enumerable.Range(0, 1_000).Select(i => $"service{i}: {{<<: *labels, selector: *labels}}\n"));

        YamlReading.ParseAll(text).Single()["service999"]!
            .ToJsonString()
            .Should()
            .Be("""{"app":"shop","tier":"web","selector":{"app":"shop","tier":"web"}}""");
    }

    internal static string Bomb(string kind) =>
        kind switch
        {
            "lists" => "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + Levels(i => $"[{Repeat($"*a{i - 1}", 10)}]"),
            "mappings" => "a0: &a0 {a: x, b: x, c: x}\n"
                + Levels(i => $"{{{string.Join(',', "abcdefghij".Select(key => $"{key}: *a{i - 1}"))}}}"),
            "merges" => $"a: &a {{{string.Join(',', Enumerable.Range(0, 5_000).Select(i => $"k{i}: x"))}}}\n"
                + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"b{i}: {{<<: *a}}\n")),
            "long strings" => $"a: &a {new string('x', 1_000_000)}\nb: [{Repeat("*a", 300_000)}]\n",
            "long keys" => $"a: &a {{{new string('x', 900)}: y}}\nb: [{Repeat("*a", 300_000)}]\n",
            _ => $"a: {string.Concat(Enumerable.Range(0, 90).Select(i => $"&a{i} ["))}{Repeat("x", 150_000)}{new string(']', 90)}\n",
        };

    private static string Levels(Func<int, string> level) =>
        string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} {level(i)}\n"));

    private static string Repeat(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));
}
