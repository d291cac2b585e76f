using System.Net;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Serving;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "xDS is served on {Address}, over mutual TLS")]
    public static partial void Serving(ILogger logger, IPEndPoint address);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "xDS is served on {Address} in plain text and to everybody (--xds-insecure): end this when no proxy of the Go manager "
            + "is left"
    )]
    public static partial void ServingEverybody(ILogger logger, IPEndPoint address);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "xDS server refused or reset a connection or stream of {Peer} ({Kind}): {Reason} Remedy: {Remedy}. Suppressed "
            + "{Suppressed} times since it was last logged"
    )]
    public static partial void Failed(ILogger logger, string kind, string peer, string reason, string remedy, int suppressed);
}
