using System.Text.Json.Nodes;
using KubeLB.TestClusters;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>
/// The test cluster returns the recorded responses of a real kube-apiserver (v1.35).
/// </summary>
public sealed class ContractTests(ContractReplay replay) : IClassFixture<ContractReplay>
{
    public static TheoryData<string> Claimed => new(Exchange.All.Where(exchange => !exchange.IsWatch).Select(exchange => exchange.Name));

    public static TheoryData<string> Watches => new(Exchange.All.Where(exchange => exchange.IsWatch).Select(exchange => exchange.Name));

    [Theory]
    [MemberData(nameof(Claimed))]
    public void Request_gets_the_recorded_response(string name)
    {
        Assert.SkipWhen(replay.Waits(name), ClusterFeatureReasons.NoControllers);
        var exchange = Exchange.All.Single(item => item.Name == name);
        var answer = replay[name];

        answer.Status.Should().Be(exchange.Status, answer.Text);
        if (exchange.Response["contentType"] is { } type)
        {
            answer.ContentType.Should().Be((string)type!);
        }
        Same(exchange.Response["body"], Volatile.Replace(Projection.Of(exchange, answer.Body)));
    }

    [Theory]
    [MemberData(nameof(Watches))]
    public void Watch_streams_the_recorded_events(string name)
    {
        var exchange = Exchange.All.Single(item => item.Name == name);
        var answer = replay[name];

        answer.Status.Should().Be(exchange.Status, answer.Text);
        Same(exchange.Response["events"], Volatile.Replace(new JsonArray([.. answer.Events.Select(item => item.DeepClone())])));
    }

    [Fact]
    public void Every_recorded_exchange_is_covered()
    {
        (Claimed.Count + Watches.Count).Should().Be(Exchange.All.Count);
    }

    private static void Same(JsonNode? expected, JsonNode? actual) =>
        JsonNode
            .DeepEquals(expected, actual)
            .Should()
            .BeTrue($"the recording has\n{expected?.ToJsonString()}\nbut the response is\n{actual?.ToJsonString()}");
}
