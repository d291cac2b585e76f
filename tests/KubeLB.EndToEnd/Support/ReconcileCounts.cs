using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.EndToEnd.Support;

/// <summary>How often controllers worked, by their own metrics.</summary>
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

    /// <summary>Not only no request: no reconcile either, for longer than the CCM defers a first status.</summary>
    public static async Task RestAsync(SystemFixture bed)
    {
        var last = -1;
        var since = Stopwatch.StartNew();
        await Eventually.HoldsAsync(
            "no controller has anything left to do",
            async () =>
            {
                var running = bed.Sandbox.Tenants.Select(t => t.Ccm.Host).Append(bed.Sandbox.Manager.Host).OfType<IHost>();
                var now = (await Task.WhenAll(running.Select(host => OfAsync(host)))).Sum();
                if (now != last)
                {
                    last = now;
                    since.Restart();
                }

                return since.Elapsed > TimeSpan.FromSeconds(3);
            }
        );
    }
}
