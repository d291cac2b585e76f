using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>Websockets and HTTP/2 streams that are open while a node fails: which of them survive.</summary>
internal sealed class LongConnections(string envoy, HealthSettings settings, TimeSpan time)
{
    private const int Count = 8;

    /// <summary>One of two nodes vanishes: those that do not run through it live, and those that do end.</summary>
    public Task<IReadOnlyList<Row>> NodeVanishesAsync() =>
        RunAsync(
            "a node of 2 vanishes",
            async (lab, _) =>
            {
                lab.Drop(lab.Node(2));
                await Task.WhenAll(
                    NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12000/")),
                    NodeTraffic.SendAsync(50, time, NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12001/", http2: true))
                );
            }
        );

    /// <summary>The application resets many requests at once, so that both nodes are ejected again and again: all live.</summary>
    public Task<IReadOnlyList<Row>> NodesEjectedAsync() =>
        RunAsync(
            "both nodes are ejected again and again",
            async (lab, _) =>
            {
                for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(2))
                {
                    await Task.WhenAll(
                        NodeTraffic.SendAsync(
                            1000,
                            TimeSpan.FromSeconds(0.05),
                            NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12000/slow-reset")
                        ),
                        NodeTraffic.SendAsync(
                            1000,
                            TimeSpan.FromSeconds(0.05),
                            NodeTraffic.Fresh($"http://{lab.ProxyAddress}:12001/slow-reset", http2: true)
                        )
                    );
                    await Task.Delay(TimeSpan.FromSeconds(1.5));
                }
            }
        );

    private async Task<IReadOnlyList<Row>> RunAsync(string what, Func<NodeLab, IReadOnlyList<FakeNode>, Task> happen)
    {
        await using var lab = await NodeLab.StartAsync(envoy);
        await using var one = await FakeNode.StartAsync(lab.Node(1), HttpProtocols.Http1, 30080);
        await using var two = await FakeNode.StartAsync(lab.Node(2), HttpProtocols.Http1, 30080);
        await using var oneH2 = await FakeNode.StartAsync(lab.Node(1), HttpProtocols.Http2, 30081);
        await using var twoH2 = await FakeNode.StartAsync(lab.Node(2), HttpProtocols.Http2, 30081);
        await lab.ServeAsync([
            settings.Port(new ProxyPort("http", 12000, 30080, ProxyProtocol.Http1), [lab.Node(1), lab.Node(2)]),
            settings.Port(new ProxyPort("grpc", 12001, 30081, ProxyProtocol.Http2), [lab.Node(1), lab.Node(2)]),
        ]);
        var open = await Task.WhenAll(
            Enumerable
                .Range(0, Count)
                .SelectMany(_ =>
                    new[] { OpenConnection.WebSocketAsync(lab.ProxyAddress, 12000), OpenConnection.StreamAsync(lab.ProxyAddress, 12001) }
                )
        );
        try
        {
            var began = DateTime.UtcNow;
            await happen(lab, [one, two, oneH2, twoH2]);
            await Task.WhenAll(open.Select(o => o.StopAsync()));
            return [Row(OpenConnection.WebSocket), Row(OpenConnection.Http2Stream)];

            Row Row(string kind)
            {
                var of = open.Where(o => o.Kind == kind).ToList();
                var ended = of.Where(o => o.Ended is not null).ToList();
                return new Row(
                    $"{what}, {kind} open; {settings.Name}",
                    string.Join(
                        "; ",
                        new[] { lab.Node(1), lab.Node(2) }.Select(
                            (node, i) =>
                                $"node {i + 1}: {of.Count(o => o.Node == node && o.Ended is null)} of {of.Count(o => o.Node == node)} live"
                        )
                    ) + (ended.Count > 0 ? $"; ended after {ended.Max(o => (o.Ended!.Value - began).TotalSeconds):N0} s at most" : "")
                );
            }
        }
        finally
        {
            Array.ForEach(open, o => o.Dispose());
        }
    }
}
