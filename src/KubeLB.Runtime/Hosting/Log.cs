using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Probes on {Probe}, metrics on {Metrics}.")]
    public static partial void Listening(ILogger logger, string probe, string metrics);

    [LoggerMessage(2, LogLevel.Information, "Stopping: finishing work that has begun.")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(3, LogLevel.Warning, "Controller {Controller} goes on although its work was cancelled; leaving it behind.")]
    public static partial void WorkerIgnoresCancellation(ILogger logger, string controller);
}
