using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Tests.Support;
using KubeLB.TestClusters;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>
/// The test cluster answers what a real kube-apiserver (v1.35) answered, exchange by exchange. What an embedded cluster does not claim to
/// do is listed here; a real server has to answer that as recorded, too.
/// </summary>
public sealed class ContractTests(ContractReplay replay) : IClassFixture<ContractReplay>
{
    // What the embedded cluster does not claim to do.
    private const string Rules = "a CEL rule";

    public static TheoryData<string> Claimed =>
        new(Exchange.All.Where(exchange => !exchange.IsWatch && exchange.Name != Rules).Select(exchange => exchange.Name));

    public static TheoryData<string> Watches => new(Exchange.All.Where(exchange => exchange.IsWatch).Select(exchange => exchange.Name));

    [Theory]
    [MemberData(nameof(Claimed))]
    public void A_request_is_answered_as_recorded(string name)
    {
        Assert.SkipWhen(replay.Waits(name), ClusterFeatureReasons.NoControllers);
        IsAnsweredAsRecorded(name);
    }

    [Theory]
    [MemberData(nameof(Watches))]
    public void A_watch_streams_the_recorded_events(string name)
    {
        var exchange = Exchange.All.Single(item => item.Name == name);
        var answer = replay[name];

        answer.Status.Should().Be(exchange.Status, answer.Text);
        Same(exchange.Response["events"], Volatile.Replace(new JsonArray([.. answer.Events.Select(item => item.DeepClone())])));
    }

    [Fact]
    public void Validation_rules_are_stored_but_not_evaluated()
    {
        if (replay.Features.HasFlag(ClusterFeatures.ValidationRules))
        {
            IsAnsweredAsRecorded(Rules);
            return;
        }

        replay[Rules]
            .Status.Should()
            .Be(201, "CEL is not claimed: the definition carries a warning, and the object that breaks the rule is let in");
    }

    [Fact]
    public async Task A_cluster_that_refuses_validation_rules_says_where_they_are_and_that_they_are_not_evaluated()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions { Tls = false, ValidationRules = ValidationRules.Refuse }
        );
        using var api = new Api(cluster);
        foreach (var name in new[] { "create namespace", "create a CRD" })
        {
            var before = Exchange.All.Single(exchange => exchange.Name == name);
            (await api.PostAsync(before.Path, before.Request["body"]!.ToJsonString())).ShouldBe(201);
        }
        var broken = Exchange.All.Single(exchange => exchange.Name == Rules);

        var answer = (await api.PostAsync(broken.Path, broken.Request["body"]!.ToJsonString())).ShouldBe((int)broken.Response["status"]!);

        answer.TextAt("kind").Should().Be("Status");
        answer.Reason.Should().Be((string?)broken.Response["body"]!["reason"]);
        answer.TextAt("details.causes.0.field").Should().Be((string?)broken.Response["body"]!["details"]!["causes"]![0]!["field"]);
        answer.Message.Should().Contain("spec: Forbidden: ").And.Contain("does not evaluate CEL rules");
    }

    [Fact]
    public void Every_exchange_of_the_recording_is_covered()
    {
        (Claimed.Count + Watches.Count + 1).Should().Be(Exchange.All.Count);
    }

    private void IsAnsweredAsRecorded(string name)
    {
        var exchange = Exchange.All.Single(item => item.Name == name);
        var answer = replay[name];

        answer.Status.Should().Be(exchange.Status, answer.Text);
        if (exchange.Response["contentType"] is { } type)
        {
            answer.ContentType.Should().Be((string)type!);
        }
        Same(exchange.Response["body"], Volatile.Replace(Projection.Of(exchange, answer.Body)));
    }

    private static void Same(JsonNode? expected, JsonNode? actual) =>
        JsonNode
            .DeepEquals(expected, actual)
            .Should()
            .BeTrue($"the recording has\n{expected?.ToJsonString()}\nbut the answer is\n{actual?.ToJsonString()}");
}
