using KubeLB.Sandbox.Proxies;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.Proxies;

public sealed class SnapshotCacheTests : IDisposable
{
    private readonly SnapshotCache _cache = new();

    /// <summary>Timeout of all waits.</summary>
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(30));

    public void Dispose() => _deadline.Dispose();

    [Fact]
    public void Node_without_snapshot_has_the_empty_snapshot()
    {
        _cache.Get("tenant-t").Should().BeSameAs(Snapshot.Empty);
        _cache.Nodes.Should().BeEmpty();
    }

    [Fact]
    public void Nodes_have_separate_snapshots()
    {
        var (a, b) = (Of(1), Of(2));

        _cache.Set("tenant-a", a);
        _cache.Set("tenant-b", b);

        _cache.Get("tenant-a").Should().BeSameAs(a);
        _cache.Get("tenant-b").Should().BeSameAs(b);
        _cache.Nodes.Should().BeEquivalentTo("tenant-a", "tenant-b");
    }

    [Fact]
    public void Node_with_empty_snapshot_exists()
    {
        _cache.Set("tenant-t", Snapshot.Empty);

        _cache.Nodes.Should().Equal("tenant-t");
    }

    [Fact]
    public async Task Watch_gets_the_current_snapshot_and_each_change()
    {
        _cache.Set("tenant-t", Of(1));
        await using var watch = Watch("tenant-t");

        (await Next(watch)).Should().Be(Of(1).Version);
        _cache.Set("tenant-t", Of(2));
        (await Next(watch)).Should().Be(Of(2).Version);

        var pending = Next(watch);
        _cache.Set("tenant-t", Of(3));
        (await pending).Should().Be(Of(3).Version);
    }

    [Fact]
    public async Task Watch_of_a_node_without_snapshot_starts_with_the_empty_snapshot()
    {
        await using var watch = Watch("tenant-t");

        (await Next(watch)).Should().Be(Snapshot.Empty.Version);
        _cache.Nodes.Should().BeEmpty("a watch does not create a node");

        var pending = Next(watch);
        _cache.Set("tenant-t", Of(1));
        (await pending).Should().Be(Of(1).Version);
        _cache.Nodes.Should().Equal("tenant-t");
    }

    [Fact]
    public async Task Slow_reader_gets_only_the_latest_snapshot()
    {
        _cache.Set("tenant-t", Of(1));
        await using var watch = Watch("tenant-t");
        await Next(watch);

        for (var i = 2; i <= 9; i++)
        {
            _cache.Set("tenant-t", Of(i));
        }

        (await Next(watch)).Should().Be(Of(9).Version);
        var pending = Next(watch);
        pending.IsCompleted.Should().BeFalse();
        _cache.Set("tenant-t", Of(10));
        (await pending).Should().Be(Of(10).Version);
    }

    [Fact]
    public async Task Reverted_change_is_not_reported_to_a_slow_reader()
    {
        _cache.Set("tenant-t", Of(1));
        await using var watch = Watch("tenant-t");
        await Next(watch);

        _cache.Set("tenant-t", Of(2));
        _cache.Set("tenant-t", Of(1));
        var pending = Next(watch);
        _cache.Set("tenant-t", Of(3));

        (await pending).Should().Be(Of(3).Version);
    }

    [Fact]
    public async Task Equal_content_is_not_reported()
    {
        var first = Of(1);
        _cache.Set("tenant-t", first);
        await using var watch = Watch("tenant-t");
        await Next(watch);
        var pending = Next(watch);

        _cache.Set("tenant-t", Of(1));

        _cache.Get("tenant-t").Should().BeSameAs(first, "the existing snapshot is kept");
        pending.IsCompleted.Should().BeFalse();
        _cache.Set("tenant-t", Of(2));
        (await pending).Should().Be(Of(2).Version);
    }

    [Fact]
    public async Task Change_of_one_node_is_not_reported_to_another()
    {
        await using var watch = Watch("tenant-a");
        await Next(watch);
        var pending = Next(watch);

        _cache.Set("tenant-b", Of(1));
        _cache.Set("tenant-a", Of(2));

        (await pending).Should().Be(Of(2).Version);
    }

    [Fact]
    public async Task Change_is_reported_to_every_reader()
    {
        await using var first = Watch("tenant-t");
        await using var second = Watch("tenant-t");
        await Next(first);
        await Next(second);
        Task<string>[] pending = [Next(first), Next(second)];

        _cache.Set("tenant-t", Of(1));

        (await Task.WhenAll(pending)).Should().Equal(Of(1).Version, Of(1).Version);
    }

    [Fact]
    public async Task Removed_node_is_empty_and_can_be_added_again()
    {
        _cache.Set("tenant-t", Of(1));
        await using var watch = Watch("tenant-t");
        await Next(watch);
        var pending = Next(watch);

        _cache.Remove("tenant-t");

        (await pending).Should().Be(Snapshot.Empty.Version);
        _cache.Get("tenant-t").Should().BeSameAs(Snapshot.Empty);
        _cache.Nodes.Should().BeEmpty();

        _cache.Set("tenant-t", Of(1));
        (await Next(watch)).Should().Be(Of(1).Version);
        _cache.Nodes.Should().Equal("tenant-t");
    }

    [Fact]
    public void Removing_a_missing_node_does_nothing()
    {
        _cache.Remove("tenant-t");

        _cache.Nodes.Should().BeEmpty();
    }

    [Fact]
    public async Task Node_watch_gets_the_current_set_and_each_change()
    {
        _cache.Set("tenant-a", Of(1));
        await using var watch = _cache.WatchNodesAsync(_deadline.Token).GetAsyncEnumerator();

        (await NextNodes(watch)).Should().Equal("tenant-a");
        var pending = NextNodes(watch);
        _cache.Set("tenant-b", Of(1));
        (await pending).Should().Equal("tenant-a", "tenant-b");

        pending = NextNodes(watch);
        _cache.Remove("tenant-a");
        (await pending).Should().Equal("tenant-b");
    }

    [Fact]
    public async Task Node_watch_ignores_content_and_readers()
    {
        _cache.Set("tenant-a", Of(1));
        await using var watch = _cache.WatchNodesAsync(_deadline.Token).GetAsyncEnumerator();
        await NextNodes(watch);
        var pending = NextNodes(watch);

        _cache.Set("tenant-a", Of(2));
        _cache.Remove("tenant-nobody");
        await using var reader = Watch("tenant-c");
        await Next(reader);
        pending.IsCompleted.Should().BeFalse();

        _cache.Set("tenant-b", Of(1));
        (await pending).Should().Equal("tenant-a", "tenant-b");
    }

    [Fact]
    public async Task Cancelled_watch_ends()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
        await using var watch = _cache.WatchAsync("tenant-t", stop.Token).GetAsyncEnumerator();
        await using var nodes = _cache.WatchNodesAsync(stop.Token).GetAsyncEnumerator();
        await watch.MoveNextAsync();
        await nodes.MoveNextAsync();
        var pending = watch.MoveNextAsync().AsTask();
        var pendingNodes = nodes.MoveNextAsync().AsTask();

        await stop.CancelAsync();

        await FluentActions.Awaiting(() => pending).Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => pendingNodes).Should().ThrowAsync<OperationCanceledException>();
        _deadline.IsCancellationRequested.Should().BeFalse();
    }

    /// <summary>Concurrent first snapshot and first reader: the reader gets the snapshot.</summary>
    [Fact]
    public async Task Concurrent_reader_gets_the_first_snapshot()
    {
        var nodes = Enumerable.Range(0, 5_000).Select(i => $"tenant-{i}").ToArray();
        var snapshot = Of(1);
        var watches = nodes.Select(Watch).ToArray();
        var arrivals = 0;
        void Meet(int i)
        {
            Interlocked.Increment(ref arrivals);
            SpinWait.SpinUntil(() => Volatile.Read(ref arrivals) >= 2 * (i + 1));
        }

        var writer = Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < nodes.Length; i++)
                {
                    Meet(i);
                    _cache.Set(nodes[i], snapshot);
                }
            },
            TaskCreationOptions.LongRunning
        );
        var reader = Task.Factory.StartNew(
            () =>
                watches
                    .Select(
                        (watch, i) =>
                        {
                            Meet(i);
                            return UntilNotEmpty(watch);
                        }
                    )
                    .ToArray(),
            TaskCreationOptions.LongRunning
        );
        await writer;

        // A reader without notification waits until the timeout ends the test.
        (await Task.WhenAll(await reader))
            .Distinct()
            .Should()
            .Equal(snapshot.Version);
    }

    private static async Task<string> UntilNotEmpty(IAsyncEnumerator<Snapshot> watch)
    {
        string version;
        do
        {
            version = await Next(watch);
        } while (version == Snapshot.Empty.Version);
        return version;
    }

    private IAsyncEnumerator<Snapshot> Watch(string node) => _cache.WatchAsync(node, _deadline.Token).GetAsyncEnumerator();

    private static async Task<string> Next(IAsyncEnumerator<Snapshot> watch)
    {
        (await watch.MoveNextAsync()).Should().BeTrue();
        return watch.Current.Version;
    }

    private static async Task<IEnumerable<string>> NextNodes(IAsyncEnumerator<IReadOnlyCollection<string>> watch)
    {
        (await watch.MoveNextAsync()).Should().BeTrue();
        return watch.Current.Order(StringComparer.Ordinal);
    }

    private static Snapshot Of(int endpoint) =>
        new([new("l", 10000, ListenerProtocol.Http, "c")], [new("c", UpstreamProtocol.Http1, [new ProxyEndpoint("10.0.0.1", endpoint)])]);
}
