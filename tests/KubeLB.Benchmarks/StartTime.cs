using System.Diagnostics;
using System.Globalization;
using k8s;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Benchmarks;

/// <summary>From the call that starts an embedded cluster to the answer to a KubernetesClient's first request.</summary>
internal static class StartTime
{
    public const string Command = "start";

    private const string Target = "< 500 ms";

    public static async Task<Row> FirstAsync(Sizes sizes, bool tls)
    {
        var times = new List<double>();
        for (var i = 0; i < sizes.Runs; i++)
        {
            times.Add(double.Parse(await OwnProcess.RunAsync(Command, tls.ToString()), CultureInfo.InvariantCulture));
        }

        return new Row(
            $"first start in a process to the first answer, {(tls ? "TLS" : "plain HTTP")} (everything is compiled on the way)",
            Text(times),
            Target
        );
    }

    public static async Task<Row> FurtherAsync(Sizes sizes)
    {
        await OnceAsync(tls: true);
        var times = new List<double>();
        for (var i = 0; i < sizes.Runs; i++)
        {
            times.Add(await OnceAsync(tls: true));
        }

        return new Row("a further start to the first answer, TLS", Text(times), Target);
    }

    public static async Task ReportAsync(bool tls) => Console.WriteLine((await OnceAsync(tls)).ToString(CultureInfo.InvariantCulture));

    private static string Text(List<double> times) => $"{times.Min():N0} ms (slowest of {times.Count}: {times.Max():N0} ms)";

    private static async Task<double> OnceAsync(bool tls)
    {
        var watch = Stopwatch.StartNew();
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = tls });
        using var client = cluster.CreateClient();
        await client.CoreV1.ListNamespaceAsync();
        return watch.Elapsed.TotalMilliseconds;
    }
}
