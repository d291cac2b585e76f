using Grpc.Core;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// Hears what happens on the streams, for metrics, logs and Events. Called from the streams' own loops, for many streams at once;
/// an implementation returns quickly. What it throws is logged and changes nothing.
/// </summary>
public interface IXdsObserver
{
    /// <summary>A client has been let in.</summary>
    void StreamOpened(XdsStreamInfo stream) { }

    /// <summary>A stream is over, whoever ended it.</summary>
    void StreamClosed(XdsStreamInfo stream) { }

    /// <summary>A client was not let in.</summary>
    /// <param name="node">The node id that it claimed.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="refusal">Why.</param>
    void Refused(string node, string peer, XdsDenial refusal) { }

    /// <summary>A request for what clients have acknowledged was refused: the caller is not a replica of this control plane.</summary>
    /// <param name="node">The node id that it asked about.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="reason">Why.</param>
    void ReplicaDenied(string node, string peer, string reason) { }

    /// <summary>A stream ended with an error of the client's: it broke the protocol, or asked for too much.</summary>
    /// <param name="node">The node id that it claimed; null if it did not.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="failure">What is wrong.</param>
    void Failed(string? node, string peer, XdsFailure failure) { }

    /// <summary>A response was handed to the transport.</summary>
    void Sent(XdsStreamInfo stream, XdsPush push) { }

    /// <summary>The client took the response (ACK).</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="typeUrl">The type.</param>
    /// <param name="sinceSent">From the response to its acknowledgement.</param>
    void Acknowledged(XdsStreamInfo stream, string typeUrl, TimeSpan sinceSent) { }

    /// <summary>The client refused the response (NACK) and stays with what it had.</summary>
    void Rejected(XdsStreamInfo stream, XdsRejection rejection) { }
}

/// <summary>Who is at the other end of a stream.</summary>
/// <param name="Id">Unique in this process, rising.</param>
/// <param name="Node">The client's node id.</param>
/// <param name="Peer">Its address.</param>
/// <param name="Service">The gRPC method.</param>
/// <param name="Delta">Whether it speaks the incremental protocol.</param>
public sealed record XdsStreamInfo(long Id, string Node, string Peer, string Service, bool Delta)
{
    /// <summary>Field of the node metadata in which a client names its pod.</summary>
    public const string PodMetadata = "pod";

    /// <summary>The client's pod; null if it does not name it.</summary>
    public string? Pod { get; init; }
}

/// <summary>Why a stream ended.</summary>
/// <param name="Code">The gRPC status code.</param>
/// <param name="Reason">What the client was told.</param>
public sealed record XdsFailure(StatusCode Code, string Reason);

/// <summary>A response that was sent.</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Resources">Number of resources in it.</param>
/// <param name="Removed">Number of names told to be gone.</param>
/// <param name="Bytes">Its size, encoded.</param>
/// <param name="SinceChange">From the oldest change in it to now; null if it answers a request rather than a change.</param>
public sealed record XdsPush(string TypeUrl, int Resources, int Removed, int Bytes, TimeSpan? SinceChange);

/// <summary>A response that the client refused.</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Code">The client's error code, as in <c>google.rpc.Code</c>.</param>
/// <param name="Message">The client's own words.</param>
/// <param name="Resources">
/// Names of the resources at fault, at most <see cref="MaxNames"/>: those that the message names, or, if it names none, all in the refused
/// response (the changed ones, where a response holds everything).
/// </param>
/// <param name="At">When the refusal came.</param>
public sealed record XdsRejection(string TypeUrl, int Code, string Message, IReadOnlyList<string> Resources, DateTimeOffset At)
{
    /// <summary>How many names a rejection lists.</summary>
    public const int MaxNames = 1_000;

    /// <summary>How much is kept of what the client says, in characters.</summary>
    public const int MaxMessageLength = 4_096;

    /// <summary>Version that the refused response gave to the client's resources.</summary>
    public string Version { get; init; } = "";
}
