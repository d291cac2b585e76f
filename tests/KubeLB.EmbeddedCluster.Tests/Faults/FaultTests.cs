using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Faults;

public sealed class FaultTests : IAsyncLifetime, IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        _api = new Api(_cluster);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose() => _api.Dispose();

    [Theory]
    [InlineData(409, "Conflict")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(500, "InternalError")]
    public async Task The_next_writes_fail_and_reads_do_not(int code, string reason)
    {
        using var fault = _cluster.Faults.FailWrites(code, 2, request => request.Resource == "configmaps");

        (await _api.GetAsync(Maps)).ShouldBe(200);
        (await _api.PostAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"}}""")).ShouldBe(201);
        var failed = (await _api.PostAsync(Maps, """{"metadata":{"name":"a"}}""")).ShouldBe(code);
        failed.Reason.Should().Be(reason);
        if (code == 429)
        {
            failed.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(1));
        }
        (await _api.PostAsync(Maps, """{"metadata":{"name":"a"}}""")).ShouldBe(code);
        (await _api.PostAsync(Maps, """{"metadata":{"name":"a"}}""")).ShouldBe(201);
    }

    [Fact]
    public async Task Watches_can_be_closed_and_then_told_that_they_are_too_late()
    {
        var revision = (await _api.PostAsync(Maps, """{"metadata":{"name":"a"}}""")).ShouldBe(201).TextAt("metadata.resourceVersion");
        using var first = await _api.WatchAsync($"{Maps}?watch=1&resourceVersion={revision}");
        _cluster.Faults.CloseWatches("configmaps");
        (await first.NextAsync()).Should().BeNull();

        using var second = await _api.WatchAsync($"{Maps}?watch=1&resourceVersion={revision}");
        (await _api.PostAsync(Maps, """{"metadata":{"name":"b"}}""")).ShouldBe(201);
        (await second.NextNameAsync()).Should().Be("ADDED b", "closing alone forgets nothing");

        _cluster.Faults.ExpireWatches();
        (await second.NextAsync()).Should().BeNull();
        using var third = await _api.WatchAsync($"{Maps}?watch=1&resourceVersion={revision}");
        ((int?)(await third.NextAsync())!["object"]!["code"]).Should().Be(410);
    }

    [Fact]
    public async Task A_client_can_be_cut_off_while_others_go_on()
    {
        using var victim = new Api(_cluster);
        victim.Http.DefaultRequestHeaders.UserAgent.ParseAdd("victim/1.0");
        using var watch = await victim.WatchAsync($"{Maps}?watch=1");

        using (_cluster.Faults.Partition(request => request.UserAgent.StartsWith("victim", StringComparison.Ordinal)))
        {
            var read = async () => await watch.NextAsync();
            await read.Should().ThrowAsync<IOException>("its running watch is torn down");
            var get = async () => await victim.GetAsync(Maps);
            await get.Should().ThrowAsync<HttpRequestException>();
            (await _api.GetAsync(Maps)).ShouldBe(200);
        }
        (await victim.GetAsync(Maps)).ShouldBe(200);
    }

    [Fact]
    public async Task A_rule_can_delay()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false, TimeProvider = clock });
        using var api = new Api(cluster);
        using var rule = cluster.Faults.Add(new FaultRule { Delay = TimeSpan.FromHours(1), Matches = request => request.Verb == "list" });

        var slow = api.GetAsync(Maps);
        (await api.GetAsync("/version")).ShouldBe(200);
        slow.IsCompleted.Should().BeFalse();
        await WaitUntil(() => cluster.Requests.Count(request => request.Verb == "list") == 1);
        while (!slow.IsCompleted)
        {
            clock.Advance(TimeSpan.FromHours(1));
            await Task.WhenAny(slow, Task.Delay(10));
        }

        (await slow).ShouldBe(200);
    }

    [Fact]
    public async Task Requests_are_logged_with_who_and_what()
    {
        _cluster.Requests.Clear();
        using var client = new Api(_cluster);
        client.Http.DefaultRequestHeaders.UserAgent.ParseAdd("tester/1.0");

        await client.PostAsync(Maps, """{"metadata":{"name":"logged"}}""");
        await client.MergeAsync($"{Maps}/logged", "{}");
        await client.GetAsync($"{Maps}/missing");
        using var watch = await client.WatchAsync($"{Maps}?watch=1");

        var seen = _cluster
            .Requests.Snapshot()
            .Select(record => $"{record.Verb} {record.Resource} {record.Name} {record.StatusCode} {record.User} {record.UserAgent}");
        seen.Should()
            .Equal(
                "create configmaps  201 kubernetes-admin tester/1.0",
                "patch configmaps logged 200 kubernetes-admin tester/1.0",
                "get configmaps missing 404 kubernetes-admin tester/1.0",
                "watch configmaps  200 kubernetes-admin tester/1.0"
            );
        _cluster.Requests.Count(request => request.IsWrite).Should().Be(2);
        _cluster.Requests.Totals()[("patch", "configmaps", "tester/1.0")].Should().Be(1);
    }

    private static async Task WaitUntil(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (!condition())
        {
            DateTime.UtcNow.Should().BeBefore(deadline);
            await Task.Yield();
        }
    }
}
