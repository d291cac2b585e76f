using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routes;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Route {Route} of {Kind} {Source} in the management cluster: {Outcome}")]
    public static partial void RouteWritten(ILogger logger, string route, string kind, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(2, LogLevel.Information, "Route {Route} of {Kind} {Source} in the management cluster: deleted")]
    public static partial void RouteDeleted(ILogger logger, string route, string kind, ResourceKey source);

    [LoggerMessage(3, LogLevel.Information, "{Kind} {Source} waits for node ports of {Services}")]
    public static partial void WaitingForNodePorts(ILogger logger, string kind, ResourceKey source, string services);
}
