using System.Diagnostics;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Manager.Tests.Proxies;

/// <summary>
/// Effect of failing nodes on clients, with the real Envoy in a network namespace. Numbers of failures are exact; times are about ten times
/// the results in tests/KubeLB.Benchmarks/README.md.
/// </summary>
public sealed class NodeHealthTests : IAsyncLifetime
{
    private const int NodePort = 30080;
    private static readonly ProxyPort Http = new("http", 12000, NodePort, ProxyProtocol.Http1);
    private static readonly ProxyPort Grpc = new("grpc", 12001, NodePort + 1, ProxyProtocol.Http2);
    private static readonly ProxyPort Tcp = new("tcp", 12002, NodePort + 2, ProxyProtocol.Tcp);

    private readonly List<FakeNode> _played = [];
    private NodeLab? _lab;

    private NodeLab Lab => _lab!;

    private string Url => $"http://{Lab.ProxyAddress}:{Http.ListenerPort}/";

    private string GrpcUrl => $"http://{Lab.ProxyAddress}:{Grpc.ListenerPort}/";

    public async ValueTask InitializeAsync()
    {
        if (NodeLab.Missing(EnvoyBinary.Location) is null)
        {
            _lab = await NodeLab.StartAsync(EnvoyBinary.Location!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await (_lab?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Task.WhenAll(_played.Select(node => node.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Disappeared_node_fails_no_request_and_is_used_again()
    {
        await ServeAsync(nodes: 2, played: 2);
        var lost = Lab.Node(2);
        using var open = new Opened(await OpenOnBothAsync());
        var vanished = TimeSpan.FromSeconds(1);
        var back = vanished + TimeSpan.FromSeconds(13);

        var clock = Stopwatch.StartNew();
        var traffic = SendAllAsync(back + TimeSpan.FromSeconds(10));
        await Task.Delay(vanished);
        var at = DateTime.UtcNow;
        Lab.Drop(lost);
        var dropped = clock.Elapsed;
        await Task.Delay(back - vanished);
        Lab.Restore(lost);
        var outcomes = await traffic;
        await open.StopAsync();

        // A TCP connection that was opened while the node disappeared is lost, too: no proxy can send its bytes again.
        (dropped - vanished)
            .Should()
            .BeLessThan(TimeSpan.FromSeconds(1), "the node disappears at once");
        var lostWithNode = outcomes["TCP"].Where(o => !o.WasSentToNode && o.Failure is not null && IsDuringDrop(o.Sent)).ToHashSet();
        lostWithNode.Should().HaveCountLessThanOrEqualTo(3, "30 connections per second are opened");
        foreach (var (kind, all) in outcomes)
        {
            var others = all.Where(o => !o.WasSentToNode && !lostWithNode.Contains(o)).ToList();
            others.Where(o => o.Failure is not null).Should().BeEmpty(kind);
            others.Max(o => o.Took).Should().BeLessThan(TimeSpan.FromSeconds(10), kind);
        }

        outcomes["fresh"].Should().Contain(o => o.Sent > back && o.Node == lost, "the node is used again within 10 s");
        open.Connections.Where(c => c.Node != lost).Should().OnlyContain(c => c.Ended == null, "their node did not fail");
        open.Connections.Where(c => c.Node == lost)
            .Should()
            .OnlyContain(c => c.Ended < at.AddSeconds(20), "the kernel usually closes the connection after 10 to 13 s");

        bool IsDuringDrop(TimeSpan sent) => sent >= vanished - TimeSpan.FromMilliseconds(100) && sent <= dropped;
    }

    [Fact]
    public async Task Node_that_drops_connections_fails_no_request()
    {
        await ServeAsync(nodes: 2, played: 1);
        Lab.Drop(Lab.Node(2));

        AllAnswered(await SendAllAsync(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task Node_that_refuses_connections_fails_no_request()
    {
        await ServeAsync(nodes: 2, played: 1);

        AllAnswered(await SendAllAsync(TimeSpan.FromSeconds(3)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    [InlineData(1000)]
    public async Task Recovered_port_serves_the_next_request(int delay)
    {
        await ServeAsync(nodes: 2, played: 0);
        var clock = Stopwatch.StartNew();
        var first = TimeSpan.MaxValue;
        var traffic = NodeTraffic.SendAsync(
            50,
            TimeSpan.FromMilliseconds(delay + 2000),
            NodeTraffic.Kept(Url),
            outcome =>
            {
                if (outcome.Node is not null && clock.Elapsed < first)
                {
                    first = clock.Elapsed;
                }
            }
        );

        await Task.Delay(delay);
        await PlayAsync(2);
        var ready = clock.Elapsed;
        await traffic;

        (first - ready).Should().BeLessThan(TimeSpan.FromSeconds(5), "ten times the goal of 0.5 s");
    }

    [Fact]
    public async Task Ejected_node_keeps_its_open_connections()
    {
        await ServeAsync(nodes: 2, played: 2);
        using var open = new Opened(await OpenOnBothAsync());

        // Envoy counts connections that an application resets like failed ones.
        await Task.WhenAll(
            NodeTraffic.SendAsync(1000, TimeSpan.FromSeconds(0.05), NodeTraffic.Fresh(Url + "slow-reset")),
            NodeTraffic.SendAsync(1000, TimeSpan.FromSeconds(0.05), NodeTraffic.Fresh(GrpcUrl + "slow-reset", http2: true))
        );
        await NodeTraffic.SendAsync(20, TimeSpan.FromSeconds(2), NodeTraffic.Kept(Url));

        (await Lab.StatsAsync("cluster.http.outlier_detection.ejections_enforced_total")).Values.Single().Should().BePositive();
        await open.StopAsync();
        open.Connections.Should().OnlyContain(c => c.Ended == null);
    }

    [Fact]
    public async Task Application_error_ejects_no_node_and_is_not_retried()
    {
        await ServeAsync(nodes: 2, played: 2);

        await NodeTraffic.SendAsync(40, TimeSpan.FromSeconds(2), NodeTraffic.Kept(Url + "fail"));
        (await Lab.StatsAsync("outlier_detection.ejections_active")).Values.Should().OnlyContain(n => n == 0);
        var before = _played.Sum(n => n.Requests);
        before.Should().Be(80);

        await NodeTraffic.SendAsync(40, TimeSpan.FromSeconds(2), NodeTraffic.Kept(Url + "reset", body: 100));
        (_played.Sum(n => n.Requests) - before).Should().Be(80, "a request that reached a node is not retried after a reset");
    }

    [Fact]
    public async Task Node_without_traffic_is_not_contacted()
    {
        Assert.SkipWhen(_lab is null, NodeLab.Missing(EnvoyBinary.Location) ?? "");
        var ports = Enumerable.Range(0, 10).Select(i => new ProxyPort($"port-{i}", 12000 + i, NodePort + i, ProxyProtocol.Http1)).ToList();
        foreach (var node in new[] { 1, 2 })
        {
            _played.Add(await FakeNode.StartAsync(Lab.Node(node), HttpProtocols.Http1, [.. ports.Select(p => p.NodePort)]));
        }

        await ServeAsync(ports, 2);
        await Task.Delay(TimeSpan.FromSeconds(3));
        _played.Sum(n => n.Connections).Should().Be(0, "no health checks are sent");

        await NodeTraffic.Fresh($"http://{Lab.ProxyAddress}:12003/")();
        _played.Sum(n => n.Connections).Should().Be(1, "one request opens one connection");
    }

    [Fact]
    public async Task Client_headers_do_not_change_retries_and_are_not_extended()
    {
        await ServeAsync(nodes: 2, played: 2);
        using var client = new HttpClient();
        foreach (var source in new[] { "10.1.2.3", "8.8.8.8" })
        {
            using var seen = await AskAsync("headers", source);
            var headers = await seen.Content.ReadAsStringAsync();
            headers
                .Split('\n')
                .Select(h => h.Split(':')[0])
                .Where(h => h.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase))
                .Should()
                .Equal(["x-envoy-external-address"], "the client sent its address");
            seen.Headers.Select(h => h.Key).Should().NotContain(h => h.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase));
            var before = _played.Sum(n => n.Requests);
            using var failed = await AskAsync("fail", source);
            ((int)failed.StatusCode).Should().Be(500);
            (_played.Sum(n => n.Requests) - before).Should().Be(1, $"a client at {source} does not control retries");
        }

        Task<HttpResponseMessage> AskAsync(string path, string source)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, Url + path);
            request.Headers.Add("x-forwarded-for", source);
            request.Headers.Add("x-envoy-retry-on", "5xx");
            request.Headers.Add("x-envoy-max-retries", "3");
            request.Headers.Add("x-envoy-upstream-rq-timeout-ms", "1");
            return client.SendAsync(request);
        }
    }

    private static void AllAnswered(IReadOnlyDictionary<string, IReadOnlyList<Outcome>> outcomes)
    {
        foreach (var (kind, all) in outcomes)
        {
            all.Where(o => o.Failure is not null).Should().BeEmpty(kind);
            all.Max(o => o.Took).Should().BeLessThan(TimeSpan.FromSeconds(10), kind);
        }
    }

    // The first nodes are simulated; the others refuse connections.
    private async Task ServeAsync(int nodes, int played)
    {
        Assert.SkipWhen(_lab is null, NodeLab.Missing(EnvoyBinary.Location) ?? "");
        foreach (var node in Enumerable.Range(1, played))
        {
            await PlayAsync(node);
        }

        await ServeAsync([Http, Grpc, Tcp], nodes);
    }

    private Task ServeAsync(IReadOnlyList<ProxyPort> ports, int nodes)
    {
        var addresses = Enumerable.Range(1, nodes).Select(Lab.Node).ToList();
        return Lab.ServeAsync([
            .. ports.Select(p =>
                (ClusterResource.Build(p, addresses, EndpointDiscovery.Static), ListenerResource.Build(p, ProxyHeaderLimits.Default))
            ),
        ]);
    }

    private async Task PlayAsync(int node)
    {
        _played.Add(await FakeNode.StartAsync(Lab.Node(node), HttpProtocols.Http1, Http.NodePort));
        _played.Add(await FakeNode.StartAsync(Lab.Node(node), HttpProtocols.Http2, Grpc.NodePort));
        _played.Add(await FakeNode.StartAsync(Lab.Node(node), HttpProtocols.None, Tcp.NodePort));
    }

    private async Task<IReadOnlyDictionary<string, IReadOnlyList<Outcome>>> SendAllAsync(TimeSpan time)
    {
        var kinds = new Dictionary<string, (double PerSecond, Func<Task<string>> Send)>
        {
            ["fresh"] = (30, NodeTraffic.Fresh(Url)),
            ["kept"] = (30, NodeTraffic.Kept(Url)),
            ["10 kB"] = (10, NodeTraffic.Kept(Url, 10_000)),
            ["2 MB"] = (3, NodeTraffic.Kept(Url, 2_000_000)),
            ["gRPC"] = (30, NodeTraffic.Kept(GrpcUrl, 100, http2: true)),
            ["TCP"] = (30, NodeTraffic.Tcp(Lab.ProxyAddress, Tcp.ListenerPort)),
        };
        var sent = kinds.ToDictionary(k => k.Key, k => NodeTraffic.SendAsync(k.Value.PerSecond, time, k.Value.Send));
        await Task.WhenAll(sent.Values);
        return sent.ToDictionary(s => s.Key, s => s.Value.Result);
    }

    // Opens websockets and streams until both nodes have both.
    private async Task<IReadOnlyList<OpenConnection>> OpenOnBothAsync()
    {
        var open = new List<OpenConnection>();
        while (open.Select(o => (o.Kind, o.Node)).Distinct().Count() < 4)
        {
            open.Add(await OpenConnection.WebSocketAsync(Lab.ProxyAddress, Http.ListenerPort));
            open.Add(await OpenConnection.StreamAsync(Lab.ProxyAddress, Grpc.ListenerPort));
        }

        return open;
    }

    private sealed class Opened(IReadOnlyList<OpenConnection> connections) : IDisposable
    {
        public IReadOnlyList<OpenConnection> Connections => connections;

        public Task StopAsync() => Task.WhenAll(connections.Select(c => c.StopAsync()));

        public void Dispose()
        {
            foreach (var connection in connections)
            {
                connection.Dispose();
            }
        }
    }
}
