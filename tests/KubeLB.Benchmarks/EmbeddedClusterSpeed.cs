using System.Diagnostics;
using k8s;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Benchmarks;

/// <summary>The embedded cluster: start, writes, watches, memory.</summary>
internal static class EmbeddedClusterSpeed
{
    private static readonly EmbeddedClusterOptions Plain = new() { Tls = false };

    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes) =>
        [
            await StartTime.FirstAsync(sizes, tls: true),
            await StartTime.FirstAsync(sizes, tls: false),
            await StartTime.FurtherAsync(sizes),
            await CeilingAsync(sizes),
            await CreatesAsync(sizes, tls: false),
            await CreatesAsync(sizes, tls: true),
            await WatchAsync(sizes),
            await MemoryUse.MeasureAsync(sizes.Held, 1),
            await MemoryUse.MeasureAsync(sizes.Held, 2_000),
        ];

    private static async Task<Row> CeilingAsync(Sizes sizes)
    {
        await using var server = await CannedServer.StartAsync();
        var rate = await BestRateAsync(sizes, _ => Load.CreateAsync(server.CreateClient, "c", sizes.Creates));
        return new Row(
            $"creates per second that {Load.Callers} KubernetesClient callers can send to a server that does nothing, plain HTTP",
            $"{rate:N0}"
        );
    }

    private static async Task<Row> CreatesAsync(Sizes sizes, bool tls)
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = tls });
        var rate = await BestRateAsync(sizes, run => Load.CreateAsync(() => cluster.CreateClient(), $"c{run}", sizes.Creates));
        return new Row(
            $"creates per second, {Load.Callers} KubernetesClient callers, {(tls ? "TLS" : "plain HTTP")}",
            $"{rate:N0}",
            "5,000"
        );
    }

    private static async Task<double> BestRateAsync(Sizes sizes, Func<int, Task> create)
    {
        await create(0);
        var best = 0.0;
        for (var run = 1; run <= sizes.Runs; run++)
        {
            var watch = Stopwatch.StartNew();
            await create(run);
            best = Math.Max(best, sizes.Creates / watch.Elapsed.TotalSeconds);
        }

        return best;
    }

    // The watch runs before the first change is made: a list would otherwise deliver what the watch lost.
    private static async Task<Row> WatchAsync(Sizes sizes)
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(Plain);
        using var client = cluster.CreateClient("benchmark-watch");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var version = (await client.CoreV1.ListNamespacedConfigMapAsync("default", cancellationToken: limit.Token))
            .Metadata
            .ResourceVersion;
        var reading = ReadAsync(client, version, sizes.Changes, limit.Token);
        while (cluster.Requests.Count(r => r is { Verb: "watch", StatusCode: 200 }) == 0)
        {
            await Task.Delay(5, limit.Token);
        }

        var watch = Stopwatch.StartNew();
        await Load.CreateAsync(() => cluster.CreateClient(), "w", sizes.Changes);
        var (events, distinct) = await reading;
        var elapsed = watch.Elapsed.TotalSeconds;
        var watches = cluster.Requests.Count(r => r.Verb == "watch");
        return new Row(
            $"{sizes.Changes:N0} changes on one watch, made meanwhile by {Load.Callers} callers",
            $"{events:N0} events of {distinct:N0} objects on {watches} watch in {elapsed:N1} s",
            $"{sizes.Changes:N0}, none lost or twice"
        );
    }

    private static async Task<(int Events, int Distinct)> ReadAsync(IKubernetes client, string version, int expected, CancellationToken ct)
    {
        var events = 0;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            await foreach (
                var (_, map) in client.CoreV1.WatchListNamespacedConfigMapAsync("default", resourceVersion: version, cancellationToken: ct)
            )
            {
                events++;
                seen.Add(map.Metadata.Name);
                if (seen.Count >= expected)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The changes that arrived in time are reported.
        }

        return (events, seen.Count);
    }
}
