using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds;

/// <summary>All log messages of the xDS server.</summary>
internal static partial class Log
{
    // Streams

    [LoggerMessage(2100, LogLevel.Information, "xDS stream {Id} of node {Node} opened by {Peer} ({Service}).")]
    public static partial void StreamOpened(ILogger logger, long id, string node, string peer, string service);

    [LoggerMessage(2101, LogLevel.Information, "xDS stream {Id} of node {Node} closed.")]
    public static partial void StreamClosed(ILogger logger, long id, string node);

    [LoggerMessage(2102, LogLevel.Debug, "xDS stream {Id}: sent {Resources} and removed {Removed} resources of {TypeUrl}, {Bytes} bytes.")]
    public static partial void Sent(ILogger logger, long id, string typeUrl, int resources, int removed, int bytes);

    [LoggerMessage(
        2103,
        LogLevel.Warning,
        "Envoy {Peer} of node {Node} rejected {TypeUrl} {Resources} and keeps the last accepted configuration: {Message}"
    )]
    public static partial void Rejected(ILogger logger, string peer, string node, string typeUrl, string resources, string message);

    [LoggerMessage(2104, LogLevel.Information, "Ended xDS stream of node {Node} from {Peer} with {Code}: {Reason}")]
    public static partial void StreamFailed(ILogger logger, string node, string peer, StatusCode code, string reason);

    // Authorization

    [LoggerMessage(2200, LogLevel.Warning, "Denied xDS stream for node {Node} from {Peer}: {Reason}")]
    public static partial void StreamDenied(ILogger logger, string node, string peer, string reason);

    [LoggerMessage(2201, LogLevel.Warning, "Denied replica request for node {Node} from {Peer}: {Reason}")]
    public static partial void ReplicaDenied(ILogger logger, string node, string peer, string reason);

    // Observers

    [LoggerMessage(2300, LogLevel.Error, "xDS observer {Observer} failed; streams are not affected.")]
    public static partial void ObserverFailed(ILogger logger, Exception exception, Type observer);
}
