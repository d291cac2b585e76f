using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;

namespace KubeLB.Runtime.Tests.Watching;

/// <summary>A kind that is not served, or cannot be listed, is never a kind without objects.</summary>
public sealed class CompletenessTests
{
    private readonly FakeApiServer _server = new();

    [Theory]
    [InlineData(WhenAbsent.BlockAllControllers)]
    [InlineData(WhenAbsent.BlockOwnControllers)]
    [InlineData(WhenAbsent.BlockNone)]
    public async Task Kind_no_longer_served_keeps_objects_and_is_incomplete(WhenAbsent whenAbsent)
    {
        _server.PutWidget("a");
        await using var host = await StartAsync(whenAbsent);
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "the first list makes the store complete");
        var deletions = 0;
        using var subscription = host.Widgets.Subscribe(change => deletions += change.New is null ? 1 : 0);

        Uninstall();
        await Eventually.HoldsAsync(() => !host.Widgets.IsComplete, "the store is not complete while the kind is not served");
        await RetryAsync();
        host.Widgets.Get("default", "a").Should().NotBeNull();
        deletions.Should().Be(0);
        host.Widgets.Removals.Should().Be(0);
        host.Widgets.HasSynced.Should().BeTrue();
        host.Widgets.IsAbsent.Should().Be(whenAbsent == WhenAbsent.BlockNone);
    }

    [Theory]
    [InlineData(WhenAbsent.BlockAllControllers)]
    [InlineData(WhenAbsent.BlockNone)]
    public async Task Kind_served_again_is_relisted(WhenAbsent whenAbsent)
    {
        _server.PutWidget("stays");
        _server.PutWidget("goes");
        await using var host = await StartAsync(whenAbsent);
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "the first list makes the store complete");
        var completeAtDeletion = false;
        using var subscription = host.Widgets.Subscribe(change => completeAtDeletion |= change.New is null && host.Widgets.IsComplete);

        Uninstall();
        await Eventually.HoldsAsync(() => !host.Widgets.IsComplete, "it is not complete");
        _server.Widgets(c => c.Vanish(new ResourceKey("default", "goes")));
        _server.NotInstalled.Clear();
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "it is complete again");
        host.Widgets.List().Should().ContainSingle().Which.Metadata.Name.Should().Be("stays");
        host.Widgets.Removals.Should().Be(1);
        host.Widgets.IsAbsent.Should().BeFalse();
        completeAtDeletion.Should().BeTrue("handlers run after the list is in the store");
    }

    [Theory]
    [InlineData(WhenAbsent.BlockAllControllers, false)]
    [InlineData(WhenAbsent.BlockNone, true)]
    public async Task Kind_never_served_is_incomplete(WhenAbsent whenAbsent, bool hasSynced)
    {
        _server.NotInstalled["widgets"] = true;
        await using var host = await StartAsync(whenAbsent);
        await RetryAsync();
        host.Widgets.IsComplete.Should().BeFalse();
        host.Widgets.HasSynced.Should().Be(hasSynced);
    }

    [Theory]
    [InlineData(403, true, true)]
    [InlineData(403, false, false)]
    [InlineData(500, true, false)]
    public async Task Kind_that_may_be_forbidden_is_incomplete_until_permitted(int code, bool mayBeForbidden, bool hasSynced)
    {
        _server.PutWidget("a");
        _server.Intercept = _ => FakeApiServer.Error(code, "Failure", "no");
        await using var host = await StartAsync(WhenAbsent.BlockNone, mayBeForbidden);
        await RetryAsync();
        host.Widgets.HasSynced.Should().Be(hasSynced);
        host.Widgets.IsComplete.Should().BeFalse();
        host.Widgets.LastError.Should().NotBeNull("it is reported");

        _server.Intercept = null;
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "the list is retried");
        host.Widgets.Get("default", "a").Should().NotBeNull();
        host.Widgets.IsAbsent.Should().BeFalse();
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Failed_list_keeps_the_objects(int code)
    {
        _server.PutWidget("a");
        await using var host = await StartAsync(WhenAbsent.BlockAllControllers);
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "the first list makes the store complete");

        _server.Intercept = request => request.IsWrite ? null : FakeApiServer.Error(code, "Failure", "no");
        _server.Widgets(c =>
        {
            c.OldestVersion = long.MaxValue;
            c.Drop(false);
        });
        await RetryAsync();
        host.Widgets.Get("default", "a").Should().NotBeNull();
        host.Widgets.Removals.Should().Be(0);
    }

    [Fact]
    public async Task Removals_counts_removed_objects()
    {
        _server.PutWidget("deleted");
        _server.PutWidget("recreated");
        await using var host = await StartAsync(WhenAbsent.BlockAllControllers);
        await Eventually.HoldsAsync(() => host.Widgets.IsComplete, "the first list makes the store complete");

        _server.Widgets(c => c.Delete(new ResourceKey("default", "deleted")));
        await Eventually.HoldsAsync(() => host.Widgets.Removals == 1, "a deletion counts");
        var recreated = ResourceKey.Of(host.Widgets.Get("default", "recreated")!);
        _server.Widgets(c =>
        {
            c.Vanish(recreated);
            c.Put(recreated, []);
        });
        await Eventually.HoldsAsync(() => host.Widgets.Removals == 2, "so does an object that was deleted and created again");
        host.Widgets.Get(recreated).Should().NotBeNull();
    }

    private async Task<TestHost> StartAsync(WhenAbsent whenAbsent, bool mayBeForbidden = false)
    {
        var host = TestHost.Build(
            _server,
            cluster => cluster.Informer<Widget>(widgets => (widgets.WhenAbsent, widgets.MayBeForbidden) = (whenAbsent, mayBeForbidden)),
            limits: TestHost.Quick with
            {
                NotServedRetryInterval = TimeSpan.FromMilliseconds(5),
                MaxNotServedRetryInterval = TimeSpan.FromMilliseconds(20),
            }
        );
        await host.Host.StartAsync();
        return host;
    }

    private void Uninstall()
    {
        _server.NotInstalled["widgets"] = true;
        _server.Widgets(c => c.Drop(false));
    }

    private async Task RetryAsync()
    {
        var before = _server.Requests.Count;
        await Eventually.HoldsAsync(() => _server.Requests.Count > before + 5, "the informer keeps trying");
    }
}
