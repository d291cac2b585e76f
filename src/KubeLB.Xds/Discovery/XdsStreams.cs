using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;

namespace KubeLB.Xds.Discovery;

/// <summary>The open streams.</summary>
public sealed class XdsStreams
{
    private readonly ConcurrentDictionary<long, IXdsStream> _open = new();
    private readonly Dictionary<string, ImmutableArray<IXdsStream>> _byNode = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _ids;

    /// <summary>
    /// Raised with the node id when a client of the node connected, disconnected or sent a request. Handlers are called from the loops of
    /// the streams and must be fast.
    /// </summary>
    public event Action<string>? Changed;

    /// <summary>The number of open streams.</summary>
    public int Count => _open.Count;

    /// <summary>The state of each stream, oldest first.</summary>
    public IReadOnlyList<XdsStreamStatus> Describe() => [.. _open.Values.OrderBy(s => s.Info.Id).Select(s => s.Describe())];

    /// <summary>Ends the streams of a node id. Clients that reconnect are authorized again.</summary>
    /// <returns>The number of ended streams.</returns>
    public int End(string node)
    {
        var ended = StreamsOf(node);
        foreach (var stream in ended)
        {
            stream.End();
        }

        return ended.Length;
    }

    /// <summary>
    /// Whether each client of a node has acknowledged some resources. Streams of one client (the same pod, or without a pod the same peer
    /// address) are combined, because a client without an aggregated stream has one stream per type.
    /// </summary>
    /// <param name="node">The node id.</param>
    /// <param name="resources">The resources with their versions.</param>
    public IReadOnlyList<XdsClientAcknowledgement> AcknowledgementOf(string node, IReadOnlyCollection<XdsResourceVersion> resources) =>
        [
            .. StreamsOf(node)
                .GroupBy(s => (s.Info.Pod, Peer: s.Info.Pod is null ? XdsPeer.HostOf(s.Info.Peer) : null))
                .Select(client => AcknowledgementOf(client.Key.Pod, XdsPeer.HostOf(client.First().Info.Peer), client, resources)),
        ];

    private static XdsClientAcknowledgement AcknowledgementOf(
        string? pod,
        string host,
        IEnumerable<IXdsStream> streams,
        IReadOnlyCollection<XdsResourceVersion> resources
    )
    {
        var worst = XdsAcknowledgementState.Acknowledged;
        foreach (var resource in resources)
        {
            var states = streams
                .Select(s => s.AcknowledgementOf(resource))
                .OfType<(XdsAcknowledgementState State, XdsRejection? Rejection)>()
                .ToList();
            if (states.FirstOrDefault(s => s.State == XdsAcknowledgementState.Rejected).Rejection is { } rejection)
            {
                return new XdsClientAcknowledgement(
                    pod,
                    host,
                    XdsAcknowledgementState.Rejected,
                    new XdsClientRejection(rejection.TypeUrl, rejection.Message)
                );
            }

            if (!states.Any(s => s.State == XdsAcknowledgementState.Acknowledged))
            {
                worst = XdsAcknowledgementState.Pending;
            }
        }

        return new XdsClientAcknowledgement(pod, host, worst, Rejection: null);
    }

    internal long NextId() => Interlocked.Increment(ref _ids);

    /// <summary>Adds a stream, unless its node id has <paramref name="limit"/> open streams.</summary>
    internal bool TryAdd(IXdsStream stream, int limit)
    {
        lock (_gate)
        {
            var open = _byNode.GetValueOrDefault(stream.Info.Node, []);
            if (open.Length >= limit)
            {
                return false;
            }

            _byNode[stream.Info.Node] = open.Add(stream);
        }

        _open[stream.Info.Id] = stream;
        Notify(stream.Info.Node);
        return true;
    }

    internal void Remove(IXdsStream stream)
    {
        _open.TryRemove(stream.Info.Id, out _);
        lock (_gate)
        {
            var remaining = _byNode.GetValueOrDefault(stream.Info.Node, []).Remove(stream);
            if (remaining.IsEmpty)
            {
                _byNode.Remove(stream.Info.Node);
            }
            else
            {
                _byNode[stream.Info.Node] = remaining;
            }
        }

        Notify(stream.Info.Node);
    }

    private ImmutableArray<IXdsStream> StreamsOf(string node)
    {
        lock (_gate)
        {
            return _byNode.GetValueOrDefault(node, []);
        }
    }

    internal void Notify(string node) => Changed?.Invoke(node);
}

/// <summary>The state of an open stream.</summary>
/// <param name="Stream">The client.</param>
/// <param name="Opened">The time at which it was opened.</param>
/// <param name="Types">The state of each type.</param>
public sealed record XdsStreamStatus(XdsStreamInfo Stream, DateTimeOffset Opened, IReadOnlyList<XdsTypeStatus> Types);

/// <summary>The state of one type on an open stream.</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Wildcard">Whether the client is subscribed to all resources.</param>
/// <param name="Names">The number of subscribed names.</param>
/// <param name="Resources">The number of sent resources that the client is still subscribed to.</param>
/// <param name="SentVersion">Version of the last response; empty before the first.</param>
/// <param name="AcknowledgedVersion">Version that the client last accepted.</param>
/// <param name="Awaiting">Whether the last response is unacknowledged.</param>
/// <param name="Rejection">The last rejection, until the client accepts a response.</param>
public sealed record XdsTypeStatus(
    string TypeUrl,
    bool Wildcard,
    int Names,
    int Resources,
    string SentVersion,
    string AcknowledgedVersion,
    bool Awaiting,
    XdsRejection? Rejection
)
{
    /// <summary>Nonce of the response that the client last accepted; empty before the first.</summary>
    public string AcknowledgedNonce { get; init; } = "";

    /// <summary>The resources that the client rejected and has not accepted since, by name.</summary>
    public IReadOnlyDictionary<string, XdsRejection> Rejected { get; init; } = new Dictionary<string, XdsRejection>();
}

/// <summary>A version of a resource.</summary>
/// <param name="TypeUrl">The type, as in <see cref="Resources.ResourceTypes"/>.</param>
/// <param name="Name">The name.</param>
/// <param name="Version">The version.</param>
public readonly record struct XdsResourceVersion(string TypeUrl, string Name, string Version);

/// <summary>Whether a client has acknowledged resources.</summary>
public enum XdsAcknowledgementState
{
    /// <summary>At least one resource was not sent or not acknowledged yet.</summary>
    Pending,

    /// <summary>The client has acknowledged all resources (ACK).</summary>
    Acknowledged,

    /// <summary>The client has rejected at least one resource (NACK), and has not acknowledged it since.</summary>
    Rejected,
}

/// <summary>Whether one client has acknowledged resources.</summary>
/// <param name="Pod">The pod; null if unknown.</param>
/// <param name="Host">The address, without the port.</param>
/// <param name="State">The state.</param>
/// <param name="Rejection">The rejection; null if the client rejected no resource.</param>
public sealed record XdsClientAcknowledgement(string? Pod, string Host, XdsAcknowledgementState State, XdsClientRejection? Rejection);

/// <summary>The rejection of a resource by a client.</summary>
/// <param name="TypeUrl">The type, as in <see cref="Resources.ResourceTypes"/>.</param>
/// <param name="Message">The error message of the client.</param>
public sealed record XdsClientRejection(string TypeUrl, string Message);

internal interface IXdsStream
{
    XdsStreamInfo Info { get; }

    XdsStreamStatus Describe();

    /// <summary>Whether the client has acknowledged a resource; null if the stream has no subscription to its type.</summary>
    (XdsAcknowledgementState State, XdsRejection? Rejection)? AcknowledgementOf(XdsResourceVersion resource);

    void End();
}

/// <summary>The address of a client in the format of gRPC: <c>ipv4:10.0.0.7:41234</c>, <c>ipv6:[fd00::7]:41234</c>.</summary>
public static class XdsPeer
{
    /// <summary>The address without the port, which is different for each connection.</summary>
    public static string HostOf(string peer)
    {
        var start = peer.IndexOf(':', StringComparison.Ordinal) + 1;
        var end = peer.LastIndexOf(':');
        if (end <= start)
        {
            return peer;
        }

        // A listener on all interfaces reports IPv4 clients as IPv4-mapped IPv6 addresses (::ffff:10.0.0.7).
        var host = peer[start..end].Trim('[', ']');
        return IPAddress.TryParse(host, out var address) && address.IsIPv4MappedToIPv6 ? $"{address.MapToIPv4()}" : host;
    }
}
