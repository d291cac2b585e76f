using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Rpc;

namespace KubeLB.Xds.Discovery;

/// <summary>What both kinds of request say.</summary>
/// <param name="Node">The node id; null if the request has none.</param>
/// <param name="TypeUrl">The type.</param>
/// <param name="Nonce">The response that it answers; empty if none.</param>
/// <param name="Error">The client's error, if it refuses that response.</param>
/// <param name="Pod">The client's pod, as its node metadata says; null if they do not.</param>
internal readonly record struct RequestHeader(string? Node, string TypeUrl, string Nonce, Status? Error, string? Pod)
{
    /// <summary>Reads the pod from node metadata.</summary>
    public static string? PodOf(Node? node) =>
        node?.Metadata?.Fields.GetValueOrDefault(XdsStreamInfo.PodMetadata)
            is {
                KindCase: Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue,
                StringValue: { Length: > 0 and <= MaxPodName } pod
            }
            ? pod
            : null;

    // The longest name of a pod.
    private const int MaxPodName = 253;
}

/// <summary>What differs between the state-of-the-world and the incremental protocol.</summary>
internal interface IDiscoveryProtocol<TRequest, TResponse>
    where TResponse : IMessage
{
    bool Delta { get; }

    RequestHeader Header(TRequest request);

    /// <summary>Reads what the client subscribes to.</summary>
    /// <param name="request">The request.</param>
    /// <param name="type">The type's state.</param>
    /// <param name="first">It is the first on this stream for this type.</param>
    /// <param name="stale">It answers another response than the last.</param>
    void Subscribe(TRequest request, TypeState type, bool first, bool stale);

    /// <summary>Builds a response and notes in the subscription that it was sent.</summary>
    TResponse Encode(DuePush due, string nonce, string controlPlane, out int resources, out int removed);
}
