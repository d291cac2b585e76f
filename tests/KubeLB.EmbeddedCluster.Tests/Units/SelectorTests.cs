using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Selectors;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Tables;

namespace KubeLB.EmbeddedCluster.Tests.Units;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web,tier!=db", true)]
    [InlineData("app!=web", false)]
    [InlineData("app in (web, api)", true)]
    [InlineData("app notin (web)", false)]
    [InlineData("missing notin (web)", true)]
    [InlineData("missing!=x", true)]
    [InlineData("app", true)]
    [InlineData("!app", false)]
    [InlineData("!missing", true)]
    [InlineData("size>2", true)]
    [InlineData("size<2", false)]
    [InlineData("app=", false)]
    [InlineData("example.com/x in (1)", true)]
    public void Labels(string selector, bool matches) =>
        LabelSelectorParser.Parse(selector).Matches(Labelled("""{"app":"web","size":"3","example.com/x":"1"}""")).Should().Be(matches);

    [Theory]
    [InlineData(".spec.size", "3")]
    [InlineData(".metadata.labels.example\\.com/x", "y")]
    [InlineData(".metadata.labels['example.com/x']", "y")]
    [InlineData(".status.conditions[?(@.type==\"Ready\")].status", "True")]
    [InlineData(".spec.items[1].name", "b")]
    [InlineData(".spec.items[-1].name", "b")]
    [InlineData(".spec.items[*].name", "a,b")]
    [InlineData(".spec.none", "")]
    [InlineData("..name", "a,b")]
    public void JSONPath_selects_values(string path, string expected)
    {
        var tree = JsonNode.Parse(
            """
            {"metadata":{"labels":{"example.com/x":"y"}},"spec":{"size":3,"items":[{"name":"a"},{"name":"b"}]},
              "status":{"conditions":[{"type":"Other","status":"False"},{"type":"Ready","status":"True"}]}}
            """
        );

        string.Join(",", JsonPath.Parse(path).Evaluate(tree).Select(JsonPath.Print)).Should().Be(expected);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(125, "2m5s")]
    [InlineData(599, "9m59s")]
    [InlineData(3_599, "59m")]
    [InlineData(10_800, "3h")]
    [InlineData(14_460, "4h1m")]
    [InlineData(100_000, "27h")]
    [InlineData(200_000, "2d7h")]
    [InlineData(864_000, "10d")]
    [InlineData(70_000_000, "2y80d")]
    public void Age_is_printed_as_by_kubectl(long seconds, string expected) =>
        Durations.Human(TimeSpan.FromSeconds(seconds)).Should().Be(expected);

    [Fact]
    public void Watch_history_is_limited_by_its_capacity()
    {
        var history = new WatchHistory(3, startRevision: 10);
        for (var revision = 11; revision <= 15; revision++)
        {
            history.Add(new WatchEvent(ChangeType.Added, Labelled("{}").At(revision), null));
        }

        history.OldestResumable.Should().Be(12);
        history.After(12).Select(change => change.Revision).Should().Equal(13, 14, 15);
        history.After(14).Select(change => change.Revision).Should().Equal(15);
    }

    private static StoredObject Labelled(string labels) =>
        ObjectEncoder.Encode(JsonNode.Parse($$$"""{"metadata":{"name":"a","uid":"u","labels":{{{labels}}} } }""")!.AsObject());
}
