using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// Observes all streams, for metrics, logs and Events. Called from the loops of the streams, concurrently; must be fast. Exceptions are
/// logged and ignored.
/// </summary>
public interface IXdsObserver
{
    /// <summary>An authorized client opened a stream.</summary>
    void StreamOpened(XdsStreamInfo stream) { }

    /// <summary>A stream ended, for any reason.</summary>
    void StreamClosed(XdsStreamInfo stream) { }

    /// <summary>A stream was denied.</summary>
    /// <param name="node">The node id in the request.</param>
    /// <param name="peer">The address of the client.</param>
    /// <param name="denial">The reason.</param>
    void Denied(string node, string peer, XdsDenial denial) { }

    /// <summary>A request for acknowledgements was denied: the caller is not a replica of this control plane.</summary>
    /// <param name="node">The node id in the request.</param>
    /// <param name="peer">The address of the client.</param>
    /// <param name="reason">The reason.</param>
    void ReplicaDenied(string node, string peer, string reason) { }

    /// <summary>A stream ended because the client violated the protocol or exceeded a limit.</summary>
    /// <param name="node">The node id in the request; null if it has none.</param>
    /// <param name="peer">The address of the client.</param>
    /// <param name="failure">The error.</param>
    void Failed(string? node, string peer, XdsFailure failure) { }

    /// <summary>A response was written to the transport.</summary>
    void Sent(XdsStreamInfo stream, XdsPush push) { }

    /// <summary>The client accepted a response (ACK).</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="typeUrl">The type.</param>
    /// <param name="sinceSent">The time from the response to its acknowledgement.</param>
    void Acknowledged(XdsStreamInfo stream, string typeUrl, TimeSpan sinceSent) { }

    /// <summary>The client rejected a response (NACK) and keeps its last accepted configuration.</summary>
    void Rejected(XdsStreamInfo stream, XdsRejection rejection) { }
}

/// <summary>The client of a stream.</summary>
/// <param name="Id">A unique, increasing number in this process.</param>
/// <param name="Node">The node id of the client.</param>
/// <param name="Peer">The address of the client.</param>
/// <param name="Service">The gRPC method.</param>
/// <param name="Delta">Whether it uses the incremental protocol.</param>
public sealed record XdsStreamInfo(long Id, string Node, string Peer, string Service, bool Delta)
{
    /// <summary>The field of the node metadata with the name of the client's pod.</summary>
    public const string PodMetadata = "pod";

    /// <summary>The pod of the client; null if its metadata do not contain it.</summary>
    public string? Pod { get; init; }
}

/// <summary>The error that ended a stream.</summary>
/// <param name="Code">The gRPC status code.</param>
/// <param name="Reason">The message that the client received.</param>
public sealed record XdsFailure(StatusCode Code, string Reason);

/// <summary>A response that was sent.</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Resources">The number of resources.</param>
/// <param name="Removed">The number of removed resources.</param>
/// <param name="Bytes">The encoded size.</param>
/// <param name="SinceChange">The time since the oldest change in the response; null if a request caused the response.</param>
public sealed record XdsPush(string TypeUrl, int Resources, int Removed, int Bytes, TimeSpan? SinceChange);

/// <summary>The rejection of a response (NACK).</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Code">The error code of the client, as in <c>google.rpc.Code</c>.</param>
/// <param name="Message">The error message of the client.</param>
/// <param name="Resources">
/// Names of the affected resources, at most <see cref="MaxNames"/>: those in the message, or if it contains none, all changed resources of
/// the response.
/// </param>
/// <param name="At">The time of the rejection.</param>
public sealed record XdsRejection(string TypeUrl, int Code, string Message, IReadOnlyList<string> Resources, DateTimeOffset At)
{
    /// <summary>The maximum number of names in a rejection.</summary>
    public const int MaxNames = 1_000;

    /// <summary>The maximum length of the error message; longer messages are truncated.</summary>
    public const int MaxMessageLength = 4_096;

    /// <summary>Version of the rejected response.</summary>
    public string Version { get; init; } = "";
}

/// <summary>Notifies all observers. The failure of one affects neither the others nor the stream.</summary>
internal sealed class XdsObservers(IEnumerable<IXdsObserver> observers, ILogger<XdsObservers> logger)
{
    private readonly IXdsObserver[] _observers = [.. observers];

    public void Notify(Action<IXdsObserver> notification)
    {
        foreach (var observer in _observers)
        {
            try
            {
                notification(observer);
            }
#pragma warning disable CA1031 // The failure of an observer must not disconnect a proxy.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.ObserverFailed(logger, e, observer.GetType());
            }
        }
    }
}

/// <summary>Logs events of streams.</summary>
internal sealed class LoggingObserver(ILogger<LoggingObserver> logger) : IXdsObserver
{
    private const int MaxNames = 20;

    public void StreamOpened(XdsStreamInfo stream) => Log.StreamOpened(logger, stream.Id, stream.Node, stream.Peer, stream.Service);

    public void StreamClosed(XdsStreamInfo stream) => Log.StreamClosed(logger, stream.Id, stream.Node);

    public void Denied(string node, string peer, XdsDenial denial) => Log.StreamDenied(logger, node, peer, denial.Reason);

    public void ReplicaDenied(string node, string peer, string reason) => Log.ReplicaDenied(logger, node, peer, reason);

    public void Failed(string? node, string peer, XdsFailure failure) =>
        Log.StreamFailed(logger, node ?? "", peer, failure.Code, failure.Reason);

    public void Sent(XdsStreamInfo stream, XdsPush push) =>
        Log.Sent(logger, stream.Id, push.TypeUrl, push.Resources, push.Removed, push.Bytes);

    public void Rejected(XdsStreamInfo stream, XdsRejection rejection) =>
        Log.Rejected(logger, stream.Peer, stream.Node, rejection.TypeUrl, Names(rejection.Resources), rejection.Message);

    private static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MaxNames)) + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "");
}
