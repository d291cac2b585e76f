using Envoy.Service.Cluster.V3;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>The incremental protocol over a real channel.</summary>
public sealed class DeltaTests : IAsyncLifetime
{
    private XdsHost _host = null!;
    private DeltaClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await XdsHost.StartAsync(o => o.ResendEndpointsOfClusters = false);
        _client = new DeltaClient(_host.Connect());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task AWildcardGetsEverythingThenOnlyWhatChanges()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var all = await _client.TakeAsync();
        all.Resources.Select(r => r.Name).Should().BeEquivalentTo("a", "b");
        all.Resources.Should().OnlyContain(r => r.Resource_.TypeUrl == ResourceTypes.Cluster && r.Version.Length == 16);

        Update(t => t.Set("b", Samples.Cluster("b", timeout: 9)).Set("a", Samples.Cluster("a")));
        var changed = await _client.TakeAsync();
        changed.Resources.Should().ContainSingle().Which.Name.Should().Be("b");
        changed.Nonce.Should().NotBe(all.Nonce);
    }

    [Fact]
    public async Task ARemovedResourceIsNamed()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        Update(t => t.Remove(ResourceTypes.Cluster, "a"));
        var removed = await _client.TakeAsync();
        removed.RemovedResources.Should().Equal("a");
        removed.Resources.Should().BeEmpty();
    }

    [Fact]
    public async Task AReconnectingClientGetsNothingThatItHas()
    {
        Update(t => t.Set("same", Samples.Cluster("same")).Set("changed", Samples.Cluster("changed")).Set("gone", Samples.Cluster("gone")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var has = (await _client.TakeAsync()).Resources.ToDictionary(r => r.Name, r => r.Version);
        _client.Dispose();
        Update(t => t.Set("changed", Samples.Cluster("changed", timeout: 1)).Remove(ResourceTypes.Cluster, "gone"));

        using var again = new DeltaClient(_host.Connect());
        await again.SendAsync(ResourceTypes.Cluster, has: has);
        var difference = await again.TakeAsync();
        difference.Resources.Select(r => r.Name).Should().Equal("changed");
        difference.RemovedResources.Should().Equal("gone");
    }

    [Fact]
    public async Task AReconnectingClientThatHasEverythingGetsNoAnswerUntilSomethingChanges()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        var version = _host.Cache.Find("n", ResourceTypes.Cluster, "a")!.Version;
        await _client.SendAsync(ResourceTypes.Cluster, has: new Dictionary<string, string> { ["a"] = version });
        await Patience.UntilAsync(() => _host.Streams.Count == 1, "the stream");
        Update(t => t.Set("b", Samples.Cluster("b")));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task NamesMaySubscribeAndUnsubscribe()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)).Set("c", Samples.Endpoints("c", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a", "b"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().BeEquivalentTo("a", "b");

        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["c"], unsubscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("c");

        Update(t => t.Set("a", Samples.Endpoints("a", 2)).Set("b", Samples.Endpoints("b", 2)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task ANameThatIsNotThereIsToldToBeGoneAndSentWhenItComes()
    {
        Update(_ => { });
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["later"]);
        (await _client.TakeAsync()).RemovedResources.Should().Equal("later");
        Update(t => t.Set("later", Samples.Endpoints("later", 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("later");
    }

    [Fact]
    public async Task ANameAskedForAgainIsSentAgain()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("a");
    }

    [Fact]
    public async Task ANameGivenUpUnderAWildcardIsSentAgainOrToldToBeGone()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["*", "a", "absent"]);
        var first = await _client.TakeAsync();
        first.RemovedResources.Should().Equal("absent");
        await _client.SendAsync(ResourceTypes.Cluster, unsubscribe: ["a", "absent"]);
        var again = await _client.TakeAsync();
        again.Resources.Select(r => r.Name).Should().Equal("a");
        again.RemovedResources.Should().Equal("absent");
    }

    [Fact]
    public async Task AWildcardIsGivenUpByItsName()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["b"], unsubscribe: ["*"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)).Set("b", Samples.Cluster("b", timeout: 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task AnImplicitWildcardStaysWhenANameIsAdded()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("b", Samples.Cluster("b")));
        await _client.SendAsync(ResourceTypes.Cluster);
        await _client.TakeAsync();
        await _client.SendAsync(ResourceTypes.Cluster, subscribe: ["a"]);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("a");
        Update(t => t.Set("b", Samples.Cluster("b", timeout: 1)));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    public async Task AStartingClientIsToldThatThereIsNothing()
    {
        Update(_ => { });
        await _client.SendAsync(ResourceTypes.Cluster);
        var answer = await _client.TakeAsync();
        answer.Resources.Should().BeEmpty();
        answer.RemovedResources.Should().BeEmpty();
    }

    [Fact]
    public async Task NothingIsSaidOfANodeThatNobodyHasSpokenOf()
    {
        await _client.SendAsync(ResourceTypes.Cluster, has: new Dictionary<string, string> { ["kept"] = "1" });
        await Patience.UntilAsync(() => _host.Streams.Count == 1, "the stream");
        Update(t => t.Set("new", Samples.Cluster("new")));
        var answer = await _client.TakeAsync();
        answer.Resources.Select(r => r.Name).Should().Equal("new");
        answer.RemovedResources.Should().Equal("kept");
    }

    [Fact]
    public async Task ARejectedResourceIsNotSentAgainAndItsErrorIsKeptUntilTheNextIsTaken()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var good = await _client.TakeAsync();
        Update(t => t.Set("a", Samples.Cluster("a", timeout: 1)));
        await _client.NackAsync(await _client.ReceiveAsync(), "no such thing");
        await Patience.UntilAsync(() => Status().Rejection is not null, "the rejection");
        var rejection = Status().Rejection!;
        (rejection.Message, rejection.Code, rejection.TypeUrl).Should().Be(("no such thing", 3, ResourceTypes.Cluster));
        rejection.Resources.Should().Equal("a");
        Status().AcknowledgedVersion.Should().Be(good.SystemVersionInfo);

        Update(t => t.Set("b", Samples.Cluster("b")));
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        await Patience.UntilAsync(() => Status().Rejection is null, "the end of the rejection");
    }

    [Fact]
    public async Task WhileAResponseIsUnansweredNewerStatesReplaceEachOther()
    {
        Update(t => t.Set("a", Samples.Cluster("a")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        for (var i = 1; i <= 50; i++)
        {
            var timeout = i;
            Update(t => t.Set("a", Samples.Cluster("a", timeout)).Set($"short-lived-{timeout}", Samples.Cluster("s")));
            Update(t => t.Remove(ResourceTypes.Cluster, $"short-lived-{timeout}"));
        }

        await _client.AckAsync(first);
        var newest = await _client.TakeAsync();
        newest.Resources.Should().ContainSingle().Which.Version.Should().Be(_host.Cache.Find("n", ResourceTypes.Cluster, "a")!.Version);
        newest.RemovedResources.Should().BeEmpty();
    }

    [Fact]
    public async Task AStaleNonceIsNoAnswerButItsSubscriptionCounts()
    {
        Update(t => t.Set("a", Samples.Endpoints("a", 1)).Set("b", Samples.Endpoints("b", 1)));
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["a"]);
        var first = await _client.TakeAsync();
        Update(t => t.Set("a", Samples.Endpoints("a", 2)));
        var second = await _client.ReceiveAsync();
        await _client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["b"], nonce: first.Nonce, error: "stale");
        await _client.AckAsync(second);
        (await _client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
        Status().Rejection.Should().BeNull();
    }

    [Fact]
    public async Task AClientThatReadsTooLittleToRememberRemovalsComparesEverything()
    {
        Update(t => t.Set("a", Samples.Cluster("a")).Set("z", Samples.Cluster("z")));
        await _client.SendAsync(ResourceTypes.Cluster);
        var first = await _client.ReceiveAsync();
        Update(t => t.Remove(ResourceTypes.Cluster, "z"));
        for (var i = 0; i < 1000; i++)
        {
            var name = $"s{i}";
            Update(t => t.Set(name, Samples.Cluster(name)));
            Update(t => t.Remove(ResourceTypes.Cluster, name));
        }

        await _client.AckAsync(first);
        (await _client.TakeAsync()).RemovedResources.Should().Equal("z");
    }

    [Fact]
    public async Task AServiceOfOneTypeServesThatType()
    {
        Update(t => t.AddCluster("a"));
        using var clusters = new DeltaClient(
            _host.Connect(),
            open: c => new ClusterDiscoveryService.ClusterDiscoveryServiceClient(c).DeltaClusters()
        );
        await clusters.SendAsync("");
        (await clusters.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Cluster);
        await clusters.SendAsync(ResourceTypes.Listener);
        (await clusters.EndAsync()).Status.Detail.Should().Contain(ResourceTypes.Listener);
    }

    private void Update(Action<ResourceTransaction> change) => _host.Cache.Update("n", change);

    private XdsTypeStatus Status() => _host.Streams.Describe().Single().Types.Single();
}
