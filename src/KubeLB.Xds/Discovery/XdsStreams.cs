using System.Collections.Concurrent;

namespace KubeLB.Xds.Discovery;

/// <summary>The streams that are open now.</summary>
public sealed class XdsStreams
{
    private readonly ConcurrentDictionary<long, IXdsStream> _open = new();
    private long _ids;

    /// <summary>How many there are.</summary>
    public int Count => _open.Count;

    /// <summary>What each stream's client asked for, has and refused, oldest stream first.</summary>
    public IReadOnlyList<XdsStreamStatus> Describe() => [.. _open.Values.OrderBy(s => s.Info.Id).Select(s => s.Describe())];

    /// <summary>Ends the streams of a node id, which are told to connect again: whoever does is asked anew whether it may.</summary>
    /// <returns>How many there were.</returns>
    public int End(string node)
    {
        var ended = _open.Values.Where(s => s.Info.Node == node).ToList();
        ended.ForEach(s => s.End());
        return ended.Count;
    }

    internal long NextId() => Interlocked.Increment(ref _ids);

    internal void Add(IXdsStream stream) => _open[stream.Info.Id] = stream;

    internal void Remove(IXdsStream stream) => _open.TryRemove(stream.Info.Id, out _);
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
    string TypeUrl, bool Wildcard, int Names, int Resources, string SentVersion, string AcknowledgedVersion, bool Awaiting, XdsRejection? Rejection)
{
    /// <summary>Nonce of the response that the client last took; empty before that.</summary>
    public string AcknowledgedNonce { get; init; } = "";

    /// <summary>The resources that the client refused and has not taken since, by name: also while it takes others.</summary>
    public IReadOnlyDictionary<string, XdsRejection> Rejected { get; init; } = new Dictionary<string, XdsRejection>();
}

internal interface IXdsStream
{
    XdsStreamInfo Info { get; }

    XdsStreamStatus Describe();

    void End();
}
