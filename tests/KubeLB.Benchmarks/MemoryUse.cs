using System.Diagnostics;
using System.Globalization;
using k8s;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Benchmarks;

/// <summary>
/// Memory of objects held, measured in a process of its own so that nothing left by other measurements is in the figures.
/// </summary>
internal static class MemoryUse
{
    public const string Command = "memory";

    private const long Megabyte = 1024 * 1024;

    public static async Task<Row> MeasureAsync(int objects, int payloadBytes)
    {
        var measured = await OwnProcess.RunAsync(
            Command,
            objects.ToString(CultureInfo.InvariantCulture),
            payloadBytes.ToString(CultureInfo.InvariantCulture)
        );
        return new Row($"{objects:N0} ConfigMaps held, {payloadBytes:N0} bytes of data each", measured, "< 500 MB");
    }

    public static async Task ReportAsync(int objects, int payloadBytes)
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await Load.CreateAsync(() => cluster.CreateClient(), "m", objects, payloadBytes);
        var withLog = GC.GetTotalMemory(forceFullCollection: true) - before;
        cluster.Requests.Clear();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        var workingSet = Environment.WorkingSet;
        var peak = Process.GetCurrentProcess().PeakWorkingSet64;

        using var client = cluster.CreateClient();
        var page = await client.CoreV1.ListNamespacedConfigMapAsync("default", limit: 1);
        var listed = 1 + (page.Metadata.RemainingItemCount ?? 0);
        if (listed < objects)
        {
            throw new InvalidOperationException($"{objects:N0} objects were created, but the cluster holds {listed:N0}.");
        }

        Console.WriteLine(
            $"{held / Megabyte:N0} MB managed (+ {(withLog - held) / Megabyte:N0} MB request log); process "
                + $"{workingSet / Megabyte:N0} MB, at its peak with the callers {peak / Megabyte:N0} MB"
        );
    }
}
