using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Probes on {Probe}, metrics on {Metrics}.")]
    public static partial void Listening(ILogger logger, string probe, string metrics);

    [LoggerMessage(6, LogLevel.Information, "Starting {Build}.")]
    public static partial void Starting(ILogger logger, BuildVersion build);

    [LoggerMessage(2, LogLevel.Information, "Stopping: finishing work that has begun.")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(4, LogLevel.Critical, "Background loop \"{Loop}\" failed; it starts again in {Seconds} s.")]
    public static partial void LoopRestarts(ILogger logger, Exception exception, string loop, int seconds);

    [LoggerMessage(5, LogLevel.Critical, "Background loop \"{Loop}\" failed; the process stops with exit code 1.")]
    public static partial void LoopStopsProcess(ILogger logger, Exception exception, string loop);

    [LoggerMessage(3, LogLevel.Warning, "Controller {Controller} goes on although its work was cancelled; leaving it behind.")]
    public static partial void WorkerIgnoresCancellation(ILogger logger, string controller);
}
