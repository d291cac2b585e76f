using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Discovery;

internal static partial class Log
{
    [LoggerMessage(LogLevel.Information, "xDS stream {Id} of node {Node} opened by {Peer} ({Service})")]
    public static partial void StreamOpened(ILogger logger, long id, string node, string peer, string service);

    [LoggerMessage(LogLevel.Information, "xDS stream {Id} of node {Node} closed")]
    public static partial void StreamClosed(ILogger logger, long id, string node);

    [LoggerMessage(LogLevel.Warning, "xDS stream for node {Node} refused to {Peer}: {Reason}")]
    public static partial void StreamDenied(ILogger logger, string node, string peer, string reason);

    [LoggerMessage(LogLevel.Warning, "Replica request for node {Node} refused to {Peer}: {Reason}")]
    public static partial void ReplicaDenied(ILogger logger, string node, string peer, string reason);

    [LoggerMessage(
        LogLevel.Warning,
        "Envoy {Peer} of node {Node} rejected {TypeUrl} {Resources} and keeps the last accepted configuration: {Message}"
    )]
    public static partial void Rejected(ILogger logger, string peer, string node, string typeUrl, string resources, string message);

    [LoggerMessage(LogLevel.Debug, "xDS stream {Id}: sent {Resources} and removed {Removed} of {TypeUrl}, {Bytes} bytes")]
    public static partial void Sent(ILogger logger, long id, string typeUrl, int resources, int removed, int bytes);

    [LoggerMessage(LogLevel.Error, "xDS observer {Observer} failed; the streams go on")]
    public static partial void ObserverFailed(ILogger logger, Exception exception, Type observer);
}
