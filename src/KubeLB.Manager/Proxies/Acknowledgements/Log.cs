using System.Net;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Acknowledgements;

internal static partial class Log
{
    [LoggerMessage(
        1,
        LogLevel.Warning,
        "Route {Route} is generated after {Seconds} s although proxies have not acknowledged its new backends: {Proxies}. Requests "
            + "through these may fail with 503"
    )]
    public static partial void NotAcknowledged(ILogger logger, ResourceKey route, int seconds, string proxies);

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "The replica at {Address} does not answer what its proxies have acknowledged: {Reason}. Routes with new backends wait up to "
            + "15 s for these proxies"
    )]
    public static partial void ReplicaNotReached(ILogger logger, IPEndPoint address, string reason);

    [LoggerMessage(3, LogLevel.Error, "Acknowledgements of proxies could not be evaluated; retrying")]
    public static partial void EvaluationFailed(ILogger logger, Exception exception);
}
