using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Discovery;

/// <summary>Writes what happens on the streams to the log.</summary>
internal sealed class LoggingObserver(ILogger<LoggingObserver> logger) : IXdsObserver
{
    private const int MostNames = 20;

    public void StreamOpened(XdsStreamInfo stream) => Log.StreamOpened(logger, stream.Id, stream.Node, stream.Peer, stream.Service);

    public void StreamClosed(XdsStreamInfo stream) => Log.StreamClosed(logger, stream.Id, stream.Node);

    public void Refused(string node, string peer, XdsDenial refusal) => Log.StreamDenied(logger, node, peer, refusal.Reason);

    public void ReplicaDenied(string node, string peer, string reason) => Log.ReplicaDenied(logger, node, peer, reason);

    public void Sent(XdsStreamInfo stream, XdsPush push) =>
        Log.Sent(logger, stream.Id, push.TypeUrl, push.Resources, push.Removed, push.Bytes);

    public void Rejected(XdsStreamInfo stream, XdsRejection rejection) =>
        Log.Rejected(logger, stream.Peer, stream.Node, rejection.TypeUrl, Names(rejection.Resources), rejection.Message);

    private static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");
}
