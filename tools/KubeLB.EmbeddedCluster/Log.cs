using Microsoft.Extensions.Logging;

namespace KubeLB.EmbeddedCluster;

/// <summary>The log messages of an embedded cluster.</summary>
internal static partial class Log
{
    // Requests

    [LoggerMessage(5001, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path);

    // Controllers

    [LoggerMessage(5002, LogLevel.Error, "{Controller} failed to process a change of {Resource} {Name}")]
    public static partial void ChangeFailed(ILogger logger, Exception exception, string controller, string resource, string name);

    [LoggerMessage(5003, LogLevel.Debug, "{Controller} ignored a change of {Resource} {Name}: {Reason}")]
    public static partial void ChangeIgnored(ILogger logger, string controller, string resource, string name, string reason);
}
