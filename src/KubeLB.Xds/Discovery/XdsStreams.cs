using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace KubeLB.Xds.Discovery;

/// <summary>The streams that are open now.</summary>
public sealed class XdsStreams
{
    private readonly ConcurrentDictionary<long, IXdsStream> _open = new();
    private readonly Dictionary<string, ImmutableArray<IXdsStream>> _byNode = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _ids;

    /// <summary>
    /// A client of the node has connected, disconnected or said something. Called from the streams' own loops: a handler returns quickly.
    /// </summary>
    public event Action<string>? Changed;

    /// <summary>How many there are.</summary>
    public int Count => _open.Count;

    /// <summary>What each stream's client asked for, has and refused, oldest stream first.</summary>
    public IReadOnlyList<XdsStreamStatus> Describe() => [.. _open.Values.OrderBy(s => s.Info.Id).Select(s => s.Describe())];

    /// <summary>Ends the streams of a node id, which are told to connect again: whoever does is asked anew whether it may.</summary>
    /// <returns>How many there were.</returns>
    public int End(string node)
    {
        var ended = OfNode(node);
        foreach (var stream in ended)
        {
            stream.End();
        }

        return ended.Length;
    }

    /// <summary>
    /// What each client of a node has of some resources. Streams of one client (the same pod; else the same peer address) are taken
    /// together, since a client without an aggregated stream has one for each type.
    /// </summary>
    /// <param name="node">The node id.</param>
    /// <param name="resources">The resources, each with the version that is asked about.</param>
    public IReadOnlyList<XdsClientAcknowledgement> AcknowledgementOf(string node, IReadOnlyCollection<XdsResourceVersion> resources) =>
        [
            .. OfNode(node)
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
            var answers = streams
                .Select(s => s.AcknowledgementOf(resource))
                .OfType<(XdsAcknowledgementState Standing, XdsRejection? Rejection)>()
                .ToList();
            if (answers.FirstOrDefault(a => a.Standing == XdsAcknowledgementState.Rejected).Rejection is { } rejection)
            {
                return new XdsClientAcknowledgement(
                    pod,
                    host,
                    XdsAcknowledgementState.Rejected,
                    new XdsClientRejection(rejection.TypeUrl, rejection.Message)
                );
            }

            if (!answers.Any(a => a.Standing == XdsAcknowledgementState.Acknowledged))
            {
                worst = XdsAcknowledgementState.Pending;
            }
        }

        return new XdsClientAcknowledgement(pod, host, worst, Rejection: null);
    }

    internal long NextId() => Interlocked.Increment(ref _ids);

    internal void Add(IXdsStream stream)
    {
        _open[stream.Info.Id] = stream;
        lock (_gate)
        {
            _byNode[stream.Info.Node] = _byNode.GetValueOrDefault(stream.Info.Node, []).Add(stream);
        }

        Notify(stream.Info.Node);
    }

    internal void Remove(IXdsStream stream)
    {
        _open.TryRemove(stream.Info.Id, out _);
        lock (_gate)
        {
            var left = _byNode.GetValueOrDefault(stream.Info.Node, []).Remove(stream);
            if (left.IsEmpty)
            {
                _byNode.Remove(stream.Info.Node);
            }
            else
            {
                _byNode[stream.Info.Node] = left;
            }
        }

        Notify(stream.Info.Node);
    }

    private ImmutableArray<IXdsStream> OfNode(string node)
    {
        lock (_gate)
        {
            return _byNode.GetValueOrDefault(node, []);
        }
    }

    internal void Notify(string node) => Changed?.Invoke(node);
}

/// <summary>An open stream.</summary>
/// <param name="Stream">Who it is.</param>
/// <param name="Opened">Since when.</param>
/// <param name="Types">What it is about.</param>
public sealed record XdsStreamStatus(XdsStreamInfo Stream, DateTimeOffset Opened, IReadOnlyList<XdsTypeStatus> Types);

/// <summary>One type on an open stream.</summary>
/// <param name="TypeUrl">The type.</param>
/// <param name="Wildcard">Whether the client wants all resources.</param>
/// <param name="Names">How many it names.</param>
/// <param name="Resources">How many it was sent and has not given up.</param>
/// <param name="SentVersion">Version of the last response; empty before the first.</param>
/// <param name="AcknowledgedVersion">Version that the client last took.</param>
/// <param name="Awaiting">Whether the last response is unanswered.</param>
/// <param name="Rejection">The client's refusal of the last response, if it refused.</param>
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
    /// <summary>Nonce of the response that the client last took; empty before that.</summary>
    public string AcknowledgedNonce { get; init; } = "";

    /// <summary>The resources that the client refused and has not taken since, by name: also while it takes others.</summary>
    public IReadOnlyDictionary<string, XdsRejection> Rejected { get; init; } = new Dictionary<string, XdsRejection>();
}

/// <summary>A resource in one version.</summary>
/// <param name="TypeUrl">The type, as in <see cref="Resources.ResourceTypes"/>.</param>
/// <param name="Name">The name.</param>
/// <param name="Version">The version.</param>
public readonly record struct XdsResourceVersion(string TypeUrl, string Name, string Version);

/// <summary>How far a client is with resources.</summary>
public enum XdsAcknowledgementState
{
    /// <summary>Not sent yet, or sent and not answered.</summary>
    Pending,

    /// <summary>The client has acknowledged all of them (ACK).</summary>
    Acknowledged,

    /// <summary>The client has rejected at least one of them (NACK), and has not acknowledged it since.</summary>
    Rejected,
}

/// <summary>How far one client is with resources.</summary>
/// <param name="Pod">Its pod; null if it does not name it.</param>
/// <param name="Host">Its address, without the port.</param>
/// <param name="Standing">How far it is.</param>
/// <param name="Rejection">What it has rejected; null if nothing.</param>
public sealed record XdsClientAcknowledgement(string? Pod, string Host, XdsAcknowledgementState Standing, XdsClientRejection? Rejection);

/// <summary>What a client has rejected.</summary>
/// <param name="TypeUrl">The type, as in <see cref="Resources.ResourceTypes"/>.</param>
/// <param name="Message">The client's own words.</param>
public sealed record XdsClientRejection(string TypeUrl, string Message);

internal interface IXdsStream
{
    XdsStreamInfo Info { get; }

    XdsStreamStatus Describe();

    /// <summary>What the client has of a resource; null if this stream is not about its type.</summary>
    (XdsAcknowledgementState Standing, XdsRejection? Rejection)? AcknowledgementOf(XdsResourceVersion resource);

    void End();
}
