using System.Diagnostics;

namespace KubeLB.Benchmarks;

/// <summary>Waits until embedded clusters have been asked for nothing for a while.</summary>
internal static class AtRest
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns when the last request but for watches and Leases is so long ago.</summary>
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
