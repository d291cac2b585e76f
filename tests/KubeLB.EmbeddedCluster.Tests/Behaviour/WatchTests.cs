using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class WatchTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    private readonly Api _api = fixture.Api;

    [Fact]
    public async Task Watch_resumes_from_resourceVersion()
    {
        var maps = await MapsAsync();
        var first = await CreateAsync(maps, "a");
        await CreateAsync(maps, "b");
        (await _api.DeleteAsync($"{maps}/b")).ShouldBe(200);

        using var watch = await _api.WatchAsync($"{maps}?watch=1&resourceVersion={first}");

        (await watch.NextNameAsync()).Should().Be("ADDED b");
        (await watch.NextNameAsync()).Should().Be("DELETED b");
        await CreateAsync(maps, "c");
        (await watch.NextNameAsync()).Should().Be("ADDED c");
    }

    [Fact]
    public async Task Watch_from_a_compacted_version_gets_410()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false, WatchHistory = 3 });
        using var api = new Api(cluster);
        const string Maps = "/api/v1/namespaces/default/configmaps";
        for (var i = 0; i < 6; i++)
        {
            (await api.PostAsync(Maps, $$$"""{"metadata":{"name":"m{{{i}}}"} }""")).ShouldBe(201);
        }

        using var watch = await api.WatchAsync($"{Maps}?watch=1&resourceVersion=2");

        watch.Status.Should().Be(200);
        var error = await watch.NextAsync();
        ((string?)error!["type"]).Should().Be("ERROR");
        ((int?)error["object"]!["code"]).Should().Be(410);
        ((string?)error["object"]!["reason"]).Should().Be("Expired");
        ((string?)error["object"]!["message"]).Should().StartWith("too old resource version: 2 (");
        (await watch.NextAsync()).Should().BeNull("the stream ends after the error");
    }

    [Fact]
    public async Task Bookmarks_are_sent_if_requested()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions { Tls = false, BookmarkInterval = TimeSpan.FromMilliseconds(20) }
        );
        using var api = new Api(cluster);
        var other = (await api.PostAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"}}"""))
            .ShouldBe(201)
            .TextAt("metadata.resourceVersion")!;

        using var watch = await api.WatchAsync("/api/v1/namespaces/kube-public/configmaps?watch=1&allowWatchBookmarks=true");
        var bookmark = await watch.NextAsync();

        ((string?)bookmark!["type"]).Should().Be("BOOKMARK");
        ((string?)bookmark["object"]!["kind"]).Should().Be("ConfigMap");
        long.Parse((string)bookmark["object"]!["metadata"]!["resourceVersion"]!)
            .Should()
            .BeGreaterThanOrEqualTo(long.Parse(other), "changes of other resources increment it");
        var next = await watch.NextAsync();
        ((string?)next!["type"]).Should().Be("BOOKMARK", "bookmarks continue without changes");
    }

    [Fact]
    public async Task Table_watch_sends_the_columns_once()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "a");
        await CreateAsync(maps, "b");

        using var watch = await _api.WatchAsync($"{maps}?watch=1", Table);
        var first = await watch.NextAsync();
        var second = await watch.NextAsync();

        first!["object"]!["columnDefinitions"]!.AsArray().Should().HaveCount(3);
        second!["object"]!["columnDefinitions"].Should().BeNull();
        ((string?)second["object"]!["rows"]![0]!["cells"]![0]).Should().Be("b");
    }

    [Fact]
    public async Task Watch_ends_after_its_timeout()
    {
        using var watch = await _api.WatchAsync($"{await MapsAsync()}?watch=1&timeoutSeconds=1");

        (await watch.NextAsync()).Should().BeNull();
    }

    [Fact]
    public async Task Watch_supports_field_selectors()
    {
        var maps = await MapsAsync();
        using var watch = await _api.WatchAsync($"{maps}?watch=1&fieldSelector=metadata.name%3Db");
        await CreateAsync(maps, "a");
        await CreateAsync(maps, "b");

        (await watch.NextNameAsync()).Should().Be("ADDED b");
    }

    [Fact]
    public async Task Ten_thousand_changes_reach_one_watch_without_loss()
    {
        var maps = await MapsAsync();
        using var watch = await _api.WatchAsync($"{maps}?watch=1");
        const int Writers = 8;
        const int Each = 1_250;
        var writing = Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(async writer =>
                {
                    for (var i = 0; i < Each; i++)
                    {
                        await CreateAsync(maps, $"m-{writer}-{i}");
                    }
                })
        );

        var seen = new HashSet<string>();
        long last = 0;
        while (seen.Count < Writers * Each)
        {
            var change = (await watch.NextAsync())!["object"]!["metadata"]!;
            var revision = long.Parse((string)change["resourceVersion"]!);
            revision.Should().BeGreaterThan(last, "events are ordered by resourceVersion");
            last = revision;
            seen.Add((string)change["name"]!).Should().BeTrue("each change is reported once");
        }
        await writing;
    }

    private async Task<string> MapsAsync() => $"/api/v1/namespaces/{await _api.NamespaceAsync()}/configmaps";

    private async Task<string> CreateAsync(string maps, string name) =>
        (await _api.PostAsync(maps, $$$"""{"metadata":{"name":"{{{name}}}"} }""")).ShouldBe(201).TextAt("metadata.resourceVersion")!;
}
