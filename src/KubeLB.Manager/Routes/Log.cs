using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Routes;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Kind} {Generated}: {Outcome}")]
    public static partial void Written(ILogger logger, string kind, ResourceKey generated, ApplyOutcome outcome);

    [LoggerMessage(2, LogLevel.Information, "{Kind} {Generated}: deleted")]
    public static partial void Deleted(ILogger logger, string kind, ResourceKey generated);

    [LoggerMessage(3, LogLevel.Warning, "Route {Route}, {Kind} {Origin}, is not in force: {Problem}")]
    public static partial void NotInForce(ILogger logger, ResourceKey route, string? kind, ResourceKey origin, string problem);
}
