using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Controllers;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Controller {Controller} starts with {Workers} workers; {Depth} keys wait.")]
    public static partial void Started(ILogger logger, string controller, int workers, int depth);

    [LoggerMessage(2, LogLevel.Information, "{Key} is tried again: {Reason}")]
    public static partial void Retrying(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Key} waits for a change: {Reason}")]
    public static partial void Terminal(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(4, LogLevel.Debug, "{Key} is tried again, the cache was behind: {Reason}")]
    public static partial void Conflict(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Key} failed and is tried again with backoff: {Reason}")]
    public static partial void ApiFailed(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(6, LogLevel.Error, "{Key} failed and is tried again with backoff.")]
    public static partial void Failed(ILogger logger, Exception exception, ResourceKey key);

    [LoggerMessage(7, LogLevel.Debug, "{Key} failed again in the same way: {Reason}")]
    public static partial void FailedAgain(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Controller {Controller} did not finish in time; running reconciles were cancelled.")]
    public static partial void Cancelled(ILogger logger, string controller);

    [LoggerMessage(9, LogLevel.Debug, "{Key} done in {Elapsed} ms")]
    public static partial void Done(ILogger logger, ResourceKey key, long elapsed);

    [LoggerMessage(10, LogLevel.Information, "Controller {Controller} stopped.")]
    public static partial void Stopped(ILogger logger, string controller);

    [LoggerMessage(11, LogLevel.Information, "{Key} is tried again when this process leads: {Reason}")]
    public static partial void Fenced(ILogger logger, ResourceKey key, string reason);
}
