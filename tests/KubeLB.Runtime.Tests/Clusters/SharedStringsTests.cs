using System.Text.Json;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Tests.Clusters;

/// <summary>Objects are decoded as the client library does it, and hold equal strings once.</summary>
public sealed class SharedStringsTests
{
    [Fact]
    public void Equal_keys_and_values_share_one_string()
    {
        // Other strings of the process may take a slot of the pool between two reads.
        Enumerable.Range(0, 100).Count(IsShared).Should().BeGreaterThan(50);

        static bool IsShared(int i)
        {
            var json = $$"""{"metadata":{"name":"a","namespace":"tenant-{{i}}","labels":{"kubelb.k8c.io/by-{{i}}":"kubelb-{{i}}"} } }""";
            var (first, second) = (Read(json).Metadata, Read(json).Metadata);
            second.NamespaceProperty.Should().Be($"tenant-{i}");
            second.Labels.Should().Equal(new Dictionary<string, string> { [$"kubelb.k8c.io/by-{i}"] = $"kubelb-{i}" });
            return ReferenceEquals(first.NamespaceProperty, second.NamespaceProperty)
                && ReferenceEquals(first.Labels.Single().Key, second.Labels.Single().Key)
                && ReferenceEquals(first.Labels.Single().Value, second.Labels.Single().Value);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ä€😀")]
    [InlineData("quoted \\\" and \\u00e4 \\ud83d\\ude00")]
    [InlineData("a value of more than sixty-four bytes, which is hardly ever there twice, so it is not shared")]
    public void Strings_are_decoded_like_KubernetesClient(string json)
    {
        var text = $$"""{"metadata":{"name":null,"annotations":{"{{json}}":"{{json}}"} } }""";
        var expected = KubernetesJson.Deserialize<V1ConfigMap>(text);

        for (var i = 0; i < 2; i++)
        {
            Read(text).Should().BeEquivalentTo(expected);
        }
    }

    [Theory]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("true")]
    public void Value_that_is_not_a_string_is_rejected(string json) =>
        FluentActions.Invoking(() => Read($$"""{"metadata":{"name":{{json}} } }""")).Should().Throw<JsonException>();

    [Fact]
    public void Full_pool_still_decodes_correctly()
    {
        for (var i = 0; i < 20_000; i++)
        {
            Read($$"""{"metadata":{"name":"n{{i}}"} }""").Metadata.Name.Should().Be($"n{i}");
        }
    }

    private static V1ConfigMap Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return SharedStrings.Deserialize<V1ConfigMap>(document.RootElement)!;
    }
}
