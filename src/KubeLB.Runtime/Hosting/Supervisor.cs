using System.Collections.Concurrent;
using KubeLB.Runtime.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>The reaction to a background loop that fails, or ends without being stopped.</summary>
internal enum WhenFaulted
{
    /// <summary>Restarts the loop after a delay: the loop has no state that a failure can corrupt.</summary>
    Restart,

    /// <summary>Stops the process with exit code 1, because the state in memory may be corrupt.</summary>
    StopProcess,
}

/// <summary>
/// Runs every background loop of a host. A failure is logged, counted, reported by <c>/healthz</c>, and restarts the loop or stops the
/// process.
/// </summary>
internal sealed class Supervisor(
    RuntimeExit exit,
    IServiceProvider services,
    RuntimeMetrics metrics,
    TimeProvider time,
    ILoggerFactory loggers
)
{
    private static readonly TimeSpan MinRestartDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxRestartDelay = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = loggers.CreateLogger("KubeLB.Runtime.Hosting");
    private readonly ConcurrentDictionary<string, string> _faulted = new(StringComparer.Ordinal);

    /// <summary>One line for each loop that has failed and is not running.</summary>
    public IReadOnlyList<string> Problems => [.. _faulted.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}")];

    /// <summary>Runs a loop until <paramref name="stop"/>.</summary>
    /// <param name="name">The name of the loop in the log, the metric and <c>/healthz</c>.</param>
    /// <param name="whenFaulted">The reaction to a failure.</param>
    /// <param name="loop">The loop; called again for each restart.</param>
    /// <param name="stop">Stops the loop.</param>
    /// <returns>A task that completes when the loop is no longer restarted; it does not fail.</returns>
    public Task Run(string name, WhenFaulted whenFaulted, Func<Task> loop, CancellationToken stop) =>
        Task.Run(
            async () =>
            {
                var delay = MinRestartDelay;
                metrics.LoopStarted(name);

                // Runs at least once: a loop that is stopped before it starts may have cleanup to do.
                while (await RunOnceAsync(loop, stop).ConfigureAwait(false) is { } failure && !stop.IsCancellationRequested)
                {
                    metrics.LoopFaulted(name);
                    _faulted[name] = failure.Message;
                    if (whenFaulted == WhenFaulted.StopProcess)
                    {
                        Log.LoopStopsProcess(_logger, failure, name);
                        exit.Fail($"Background loop \"{name}\" failed: {failure.Message}");

                        // No lifetime is registered if a cluster is used without a host.
                        services.GetService<IHostApplicationLifetime>()?.StopApplication();
                        return;
                    }

                    Log.LoopRestarts(_logger, failure, name, (int)delay.TotalSeconds);
                    await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    delay = delay * 2 < MaxRestartDelay ? delay * 2 : MaxRestartDelay;
                    _faulted.TryRemove(name, out _);
                }
            },
            CancellationToken.None
        );

    private static async Task<Exception?> RunOnceAsync(Func<Task> loop, CancellationToken stop)
    {
        try
        {
            await loop().ConfigureAwait(false);
            return stop.IsCancellationRequested ? null : new InvalidOperationException("the loop ended without being stopped");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
#pragma warning disable CA1031 // Any exception is reported and handled by the caller.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }
}

/// <summary>The exit code of the process, which <see cref="CommandLine.ControllerProgram"/> returns.</summary>
internal sealed class RuntimeExit
{
    private string? _reason;

    /// <summary>Ok after a regular stop, Failed after a failure of a background loop.</summary>
    public int Code => _reason is null ? CommandLine.ControllerExitCodes.Ok : CommandLine.ControllerExitCodes.Failed;

    /// <summary>The failure in one sentence; null after a regular stop.</summary>
    public string? Reason => _reason;

    /// <summary>Sets the exit code to 1. The first reason is kept.</summary>
    public void Fail(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        Interlocked.CompareExchange(ref _reason, reason, null);
    }
}
