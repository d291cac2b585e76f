using System.Diagnostics;
using System.Globalization;
using System.Text;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.EndToEnd.Support;

/// <summary>The number of reconciles, from the metrics of the controllers.</summary>
public static class ReconcileCounts
{
    /// <summary>Reconciles of a host so far; of one controller, if it is named.</summary>
    public static async Task<int> OfAsync(IHost host, string? controller = null)
    {
        using var text = new MemoryStream();
        await host.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return Encoding
            .UTF8.GetString(text.ToArray())
            .Split('\n')
            .Where(line => line.Contains("_reconcile_total{", StringComparison.Ordinal))
            .Where(line => controller is null || line.Contains($"controller=\"{controller}\"", StringComparison.Ordinal))
            .Sum(line => int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    /// <summary>Waits until there was no reconcile for longer than the CCM defers a first status.</summary>
    /// <param name="hosts">The running hosts: asked each time, since tests restart them.</param>
    public static async Task WaitUntilIdleAsync(Func<IEnumerable<IHost>> hosts)
    {
        var last = -1;
        var since = Stopwatch.StartNew();
        await Eventually.HoldsAsync(
            async () =>
            {
                var now = (await Task.WhenAll(hosts().Select(host => OfAsync(host)))).Sum();
                if (now != last)
                {
                    last = now;
                    since.Restart();
                }

                return since.Elapsed > TimeSpan.FromSeconds(3);
            },
            "all controllers are idle"
        );
    }
}
