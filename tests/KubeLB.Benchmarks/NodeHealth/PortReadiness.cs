using System.Diagnostics;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KubeLB.Benchmarks.NodeHealth;

/// <summary>
/// How long a port of two nodes waits for its first 200, from the moment at which it accepts connections. Before that it refuses them, as a
/// node port does without ready endpoints or before kube-proxy has heard of it.
/// </summary>
internal sealed class PortReadiness(string envoy, HealthSettings settings, int runs)
{
    private const int AtOnce = 5;

    /// <summary>Measures one delay.</summary>
    /// <param name="delay">How long after its cluster and listener the port is ready.</param>
    /// <param name="asked">Whether there are 50 requests a second from the beginning; they get 503 at first.</param>
    public async Task<Row> MeasureAsync(TimeSpan delay, bool asked)
    {
        var waits = new List<TimeSpan>();
        await using var lab = await NodeLab.StartAsync(envoy);
        for (var done = 0; done < runs; done += AtOnce)
        {
            var ports = Enumerable
                .Range(done, AtOnce)
                .Select(i => new ProxyPort($"lab-{i}", 12000 + i, 30080 + i, ProxyProtocol.Http1))
                .ToList();
            await lab.ServeAsync([.. ports.Select(port => settings.Port(port, [lab.Node(1), lab.Node(2)]))]);
            waits.AddRange(await Task.WhenAll(ports.Select(port => WaitAsync(lab, port, delay, asked))));
        }

        waits.Sort();
        return new Row(
            $"port ready {delay.TotalSeconds} s after its cluster{(asked ? ", 50 requests/s meanwhile" : "")}"
                + $": first 200 after; {settings.Name}",
            $"p90 {waits[(int)Math.Ceiling(waits.Count * 0.9) - 1].TotalMilliseconds:N0} ms, slowest of {waits.Count} "
                + $"{waits[^1].TotalMilliseconds:N0} ms",
            "p90 500 ms"
        );
    }

    private static async Task<TimeSpan> WaitAsync(NodeLab lab, ProxyPort port, TimeSpan delay, bool asked)
    {
        var clock = Stopwatch.StartNew();
        var first = new TaskCompletionSource<TimeSpan>();
        var send = NodeTraffic.Kept($"http://{lab.ProxyAddress}:{port.ListenerPort}/");
        var meanwhile = asked
            ? NodeTraffic.SendAsync(
                50,
                delay + TimeSpan.FromSeconds(0.5),
                send,
                outcome =>
                {
                    if (outcome.Node is not null)
                    {
                        first.TrySetResult(clock.Elapsed);
                    }
                }
            )
            : Task.CompletedTask;
        await using var one = FakeNode.Create(lab.Node(1), HttpProtocols.Http1, port.NodePort);
        await using var two = FakeNode.Create(lab.Node(2), HttpProtocols.Http1, port.NodePort);
        if (delay > clock.Elapsed)
        {
            await Task.Delay(delay - clock.Elapsed);
        }

        await one.ListenAsync();
        var ready = clock.Elapsed;
        var second = two.ListenAsync();
        await meanwhile;
        while (!first.Task.IsCompleted)
        {
            try
            {
                await send();
                first.TrySetResult(clock.Elapsed);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(5);
            }
        }

        await second;
        return await first.Task - ready;
    }
}
