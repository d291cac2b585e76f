using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>Responses to a client while some of several nodes fail.</summary>
internal sealed class NodeFailures(string envoy, HealthSettings settings, TimeSpan time)
{
    private const int NodePort = 30080;
    private const int ListenerPort = 12000;

    /// <summary>What is sent.</summary>
    /// <param name="Name">Name in the table.</param>
    /// <param name="Protocol">What the port speaks.</param>
    /// <param name="PerSecond">Requests in a second.</param>
    /// <param name="Send">Makes the sender for an address of the proxy.</param>
    internal sealed record Traffic(string Name, ProxyProtocol Protocol, double PerSecond, Func<string, Func<Task<string>>> Send);

    public static IReadOnlyList<Traffic> Kinds { get; } =
    [
        new("HTTP, a connection per request", ProxyProtocol.Http1, 100, proxy => NodeTraffic.Fresh(Url(proxy))),
        new("HTTP, connections kept", ProxyProtocol.Http1, 100, proxy => NodeTraffic.Kept(Url(proxy))),
        new("POST of 10 kB", ProxyProtocol.Http1, 100, proxy => NodeTraffic.Kept(Url(proxy), 10_000)),
        new("POST of 2 MB, 10/s", ProxyProtocol.Http1, 10, proxy => NodeTraffic.Kept(Url(proxy), 2_000_000)),
        new("h2 (gRPC)", ProxyProtocol.Http2, 100, proxy => NodeTraffic.Kept(Url(proxy), 100, http2: true)),
        new("TCP, a connection each", ProxyProtocol.Tcp, 100, proxy => NodeTraffic.Tcp(proxy, ListenerPort)),
    ];

    /// <summary>Two nodes, one of which fails and recovers.</summary>
    public Task<Row> VanishesAsync(Traffic traffic) =>
        RunAsync(
            $"a node of 2 vanishes, {traffic.Name}",
            traffic,
            2,
            async (lab, _, clock) =>
            {
                lab.Drop(lab.Node(2));
                await clock(time);
                lab.Restore(lab.Node(2));
            }
        );

    /// <summary>Two of three nodes vanish.</summary>
    public Task<Row> TwoVanishAsync(Traffic traffic) =>
        RunAsync(
            $"2 nodes of 3 vanish, {traffic.Name}",
            traffic,
            3,
            async (lab, _, clock) =>
            {
                lab.Drop(lab.Node(2));
                lab.Drop(lab.Node(3));
                await clock(time);
                lab.Restore(lab.Node(2));
                lab.Restore(lab.Node(3));
            }
        );

    /// <summary>
    /// From the beginning only one node answers at the port; the others drop what comes (a Service with externalTrafficPolicy Local).
    /// </summary>
    public Task<Row> LocalAsync(Traffic traffic, int nodes) =>
        RunAsync(
            $"1 node of {nodes} answers, the others drop, {traffic.Name}",
            traffic,
            nodes,
            (_, _, clock) => clock(time),
            lab =>
            {
                foreach (var node in Enumerable.Range(2, nodes - 1))
                {
                    lab.Drop(lab.Node(node), NodePort);
                }
            }
        );

    /// <summary>From the beginning one of two nodes refuses connections at the port.</summary>
    public Task<Row> RefusesAsync(Traffic traffic) =>
        RunAsync($"a node of 2 refuses, {traffic.Name}", traffic, 2, (_, _, clock) => clock(time), serving: 1);

    /// <summary>The application resets some requests, and only one node answers at its port.</summary>
    public Task<Row> ResetsAsync(Traffic traffic, int nodes, double perSecond) =>
        RunAsync(
            $"1 node of {nodes} answers, the others drop, {perSecond}/s further requests are reset by the application, {traffic.Name}",
            traffic,
            nodes,
            async (lab, _, clock) =>
            {
                var resets = NodeTraffic.SendAsync(perSecond, time, NodeTraffic.Fresh(Url(lab.ProxyAddress) + "reset"));
                await clock(time);
                await resets;
            },
            lab =>
            {
                foreach (var node in Enumerable.Range(2, nodes - 1))
                {
                    lab.Drop(lab.Node(node), NodePort);
                }
            }
        );

    private static string Url(string proxy) => $"http://{proxy}:{ListenerPort}/";

    private static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds:N0} ms";

    private async Task<Row> RunAsync(
        string what,
        Traffic traffic,
        int nodes,
        Func<NodeLab, IReadOnlyList<FakeNode>, Func<TimeSpan, Task>, Task> happen,
        Action<NodeLab>? before = null,
        int? serving = null
    )
    {
        await using var lab = await NodeLab.StartAsync(envoy);
        var protocols = traffic.Protocol switch
        {
            ProxyProtocol.Http1 => HttpProtocols.Http1,
            ProxyProtocol.Http2 => HttpProtocols.Http2,
            _ => HttpProtocols.None,
        };
        var played = new List<FakeNode>();
        try
        {
            foreach (var node in Enumerable.Range(1, serving ?? nodes))
            {
                played.Add(await FakeNode.StartAsync(lab.Node(node), protocols, NodePort));
            }

            before?.Invoke(lab);
            var addresses = Enumerable.Range(1, nodes).Select(lab.Node).ToList();
            await lab.ServeAsync([settings.Port(new ProxyPort("lab", ListenerPort, NodePort, traffic.Protocol), addresses)]);

            // Without a failure first, so that connections are there.
            var send = traffic.Send(lab.ProxyAddress);
            var warm = before is null && serving is null ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;
            var restored = TimeSpan.MaxValue;
            var whole = warm + time + (before is null && serving is null ? TimeSpan.FromSeconds(12) : TimeSpan.Zero);
            var traffics = NodeTraffic.SendAsync(traffic.PerSecond, whole, send);
            await Task.Delay(warm);
            await happen(lab, played, Task.Delay);
            restored = warm + time;
            var outcomes = await traffics;
            return new Row($"{what}; {settings.Name}", Describe(outcomes, warm, restored, lab.Node(2)));
        }
        finally
        {
            foreach (var node in played)
            {
                await node.DisposeAsync();
            }
        }
    }

    private static string Describe(IReadOnlyList<Outcome> all, TimeSpan from, TimeSpan to, string lost)
    {
        var outcomes = all.Where(o => o.Sent >= from && o.Sent < to).ToList();
        var failed = outcomes.Where(o => o.Failure is not null && !o.WasSentToNode).ToList();
        var sent = outcomes.Where(o => o.WasSentToNode).ToList();
        var rest = outcomes.Where(o => !o.WasSentToNode).Select(o => o.Took).Order().ToList();
        var back = all.Where(o => o.Sent >= to && o.Node == lost).Select(o => (TimeSpan?)(o.Sent - to)).FirstOrDefault();
        return $"{failed.Count} of {outcomes.Count} failed, slowest {Milliseconds(rest.LastOrDefault())}, "
            + $"{rest.Count(t => t > TimeSpan.FromSeconds(0.4))} above 0.4 s"
            + (
                sent.Count > 0
                    ? $"; {sent.Count} more on connections to the lost node, ended after {Milliseconds(sent.Max(o => o.Took))}"
                    : ""
            )
            + (back is { } b ? $"; used again after {b.TotalSeconds:N1} s" : "")
            + (failed.Count > 0 ? $" [{string.Join(" / ", MostFrequent(failed).Select(g => $"{g.Count()}x {g.Key}"))}]" : "");
    }

    private static IEnumerable<IGrouping<string?, Outcome>> MostFrequent(IEnumerable<Outcome> failed) =>
        failed.GroupBy(o => o.Failure).OrderByDescending(g => g.Count()).Take(3);
}
