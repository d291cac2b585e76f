using System.Diagnostics;
using k8s;
using k8s.Models;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Benchmarks;

/// <summary>The embedded cluster: start, writes, watches, memory.</summary>
internal static class EmbeddedClusterSpeed
{
    private const int Callers = 16;
    private const int Creates = 20_000;
    private const int Changes = 10_000;
    private const int Held = 50_000;

    public static async Task<IReadOnlyList<Row>> MeasureAsync() =>
    [
        await StartAsync("first start in a process to the first answer (everything is compiled on the way)", "< 0.5 s"),
        await StartAsync("a further start to the first answer", "< 0.5 s"),
        await CreatesAsync(),
        await WatchAsync(),
        await MemoryAsync(),
    ];

    private static async Task<Row> StartAsync(string what, string target)
    {
        var watch = Stopwatch.StartNew();
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        using var client = cluster.CreateClient();
        await client.CoreV1.ListNamespaceAsync();
        return new Row(what, $"{watch.ElapsedMilliseconds} ms", target);
    }

    private static async Task<Row> CreatesAsync()
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        await CreateAsync(cluster, "warm", Callers, 2_000);
        var watch = Stopwatch.StartNew();
        await CreateAsync(cluster, "c", Callers, Creates);
        return new Row($"creates per second, {Callers} KubernetesClient callers", $"{Creates / watch.Elapsed.TotalSeconds:N0}", "5,000");
    }

    private static async Task<Row> WatchAsync()
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        using var client = cluster.CreateClient();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var reading = Task.Run(async () =>
        {
            await foreach (var (_, map) in client.CoreV1.WatchListNamespacedConfigMapAsync("default", resourceVersion: "0", cancellationToken: limit.Token))
            {
                seen.Add(map.Metadata.Name);
                if (seen.Count >= Changes)
                {
                    return;
                }
            }
        });
        var watch = Stopwatch.StartNew();
        await CreateAsync(cluster, "w", Callers, Changes);
        await reading;
        return new Row($"one watch, {Changes:N0} changes", $"{seen.Count:N0} arrived in {watch.Elapsed.TotalSeconds:N1} s", "none lost");
    }

    private static async Task<Row> MemoryAsync()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        await CreateAsync(cluster, "m", Callers, Held);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        return new Row($"{Held:N0} small objects held", $"{held / 1024 / 1024:N0} MB", "< 500 MB");
    }

    private static Task CreateAsync(EmbeddedCluster.EmbeddedCluster cluster, string prefix, int callers, int count) =>
        Task.WhenAll(Enumerable.Range(0, callers).Select(async caller =>
        {
            using var client = cluster.CreateClient();
            for (var i = caller; i < count; i += callers)
            {
                await client.CoreV1.CreateNamespacedConfigMapAsync(
                    new V1ConfigMap { Metadata = new V1ObjectMeta { Name = $"{prefix}-{i}" }, Data = new Dictionary<string, string> { ["k"] = "v" } },
                    "default");
            }
        }));
}
