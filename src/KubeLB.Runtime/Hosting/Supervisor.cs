using System.Collections.Concurrent;
using KubeLB.Runtime.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>What follows when a background loop fails, or ends although nobody asked it to.</summary>
internal enum WhenFaulted
{
    /// <summary>The loop starts again after a pause: it keeps no state that its failure could have spoiled.</summary>
    Restart,

    /// <summary>The process ends with exit code 1, because only a new one is known to have lost nothing.</summary>
    StopProcess,
}

/// <summary>
/// Runs every background loop of a host. None of them ends unnoticed: a failure is logged, counted, shown by <c>/healthz</c> and followed
/// by a restart of the loop or the end of the process.
/// </summary>
internal sealed class Supervisor(
    RuntimeExit exit,
    IServiceProvider services,
    RuntimeMetrics metrics,
    TimeProvider time,
    ILoggerFactory loggers
)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = loggers.CreateLogger("KubeLB.Runtime.Hosting");
    private readonly ConcurrentDictionary<string, string> _faulted = new(StringComparer.Ordinal);

    /// <summary>A sentence for each loop that does not run at present although it should.</summary>
    public IReadOnlyList<string> Problems => [.. _faulted.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}")];

    /// <summary>Runs a loop until <paramref name="stop"/>.</summary>
    /// <param name="name">Names the loop in the log, the metric and <c>/healthz</c>.</param>
    /// <param name="whenFaulted">What follows a failure.</param>
    /// <param name="loop">The loop; called again for each restart.</param>
    /// <param name="stop">Asks it to end.</param>
    /// <returns>Completes, and never fails, when the loop has ended for good.</returns>
    public Task Run(string name, WhenFaulted whenFaulted, Func<Task> loop, CancellationToken stop) =>
        Task.Run(
            async () =>
            {
                var pause = ShortestPause;

                // Once at least: a loop that is stopped before it began may have something to finish.
                while (await FailureOfAsync(loop, stop).ConfigureAwait(false) is { } failure && !stop.IsCancellationRequested)
                {
                    metrics.LoopFaulted(name);
                    _faulted[name] = failure.Message;
                    if (whenFaulted == WhenFaulted.StopProcess)
                    {
                        Log.LoopStopsProcess(_logger, failure, name);
                        exit.Fail($"Background loop \"{name}\" failed: {failure.Message}");

                        // Clusters are also used without a host.
                        services.GetService<IHostApplicationLifetime>()?.StopApplication();
                        return;
                    }

                    Log.LoopRestarts(_logger, failure, name, (int)pause.TotalSeconds);
                    await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                    _faulted.TryRemove(name, out _);
                }
            },
            CancellationToken.None
        );

    private static async Task<Exception?> FailureOfAsync(Func<Task> loop, CancellationToken stop)
    {
        try
        {
            await loop().ConfigureAwait(false);
            return stop.IsCancellationRequested ? null : new InvalidOperationException("it ended although it was not stopped");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
#pragma warning disable CA1031 // Whatever ends a loop is reported, and dealt with.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }
}
