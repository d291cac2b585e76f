using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using k8s;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Benchmarks;

/// <summary>The time from the creation of a tenant's HTTPRoute to the HTTPRoute that the manager generates from it.</summary>
internal static class GeneratedRoutes
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task<Row> TimeAsync(
        SandboxEnvironment sandbox,
        string prefix,
        int count,
        string what,
        Func<string, Task> create,
        Func<Task>? between = null
    )
    {
        using var stop = new CancellationTokenSource();
        using var client = sandbox.Management.CreateClient("benchmark-watch");
        var seen = new ConcurrentDictionary<string, TaskCompletionSource>(StringComparer.Ordinal);
        var following = FollowAsync(client, seen, stop.Token);
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            if (between is not null)
            {
                await between();
            }

            var arrived = seen.GetOrAdd($"{prefix}{i}.example.com", _ => NewSignal());
            var watch = Stopwatch.StartNew();
            await create($"{prefix}{i}");
            await arrived.Task.WaitAsync(Deadline);
            times.Add(watch.Elapsed.TotalMilliseconds);
        }

        await stop.CancelAsync();
        await following;
        times.Sort();
        return new Row(
            $"creation of an HTTPRoute to the generated HTTPRoute, {what}",
            $"median {times[times.Count / 2]:N0} ms, slowest of {count} {times[^1]:N0} ms"
        );
    }

    private static async Task FollowAsync(IKubernetes client, ConcurrentDictionary<string, TaskCompletionSource> seen, CancellationToken ct)
    {
        try
        {
            await foreach (
                var (_, route) in client.CustomObjects.WatchListClusterCustomObjectAsync(
                    "gateway.networking.k8s.io",
                    "v1",
                    "httproutes",
                    cancellationToken: ct
                )
            )
            {
                foreach (var hostname in Hostnames((JsonElement)route))
                {
                    seen.GetOrAdd(hostname, _ => NewSignal()).TrySetResult();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All routes arrived.
        }
    }

    private static IEnumerable<string> Hostnames(JsonElement route) =>
        route.TryGetProperty("spec", out var spec) && spec.TryGetProperty("hostnames", out var hostnames)
            ? hostnames.EnumerateArray().Select(h => h.GetString() ?? "")
            : [];

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
