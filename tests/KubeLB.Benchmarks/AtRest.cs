using System.Diagnostics;

namespace KubeLB.Benchmarks;

/// <summary>Waits until embedded clusters have received no request for a while.</summary>
internal static class AtRest
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns when the last request, except for watches and Leases, is older than the period.</summary>
    public static async Task WaitAsync(TimeSpan quiet, params EmbeddedCluster.EmbeddedCluster[] clusters)
    {
        var since = Stopwatch.StartNew();
        var last = -1;
        while (since.Elapsed < quiet)
        {
            var now = clusters.Sum(c => c.Requests.Count(r => r.Verb != "watch" && r.Resource != "leases"));
            if (now != last)
            {
                last = now;
                since.Restart();
            }

            await Task.Delay(Pause);
        }
    }
}
