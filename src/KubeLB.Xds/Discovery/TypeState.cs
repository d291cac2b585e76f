using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

/// <summary>One type on one stream: the subscription and how far the conversation about it has come.</summary>
internal sealed class TypeState(string typeUrl, bool delta)
{
    public string TypeUrl { get; } = typeUrl;

    public int Rank { get; } = ResourceTypes.Rank(typeUrl);

    /// <summary>Whether other types wait for this one and it for them.</summary>
    public bool Ordered => Rank != ResourceTypes.Unordered;

    public Subscription Subscription { get; } = new(typeUrl);

    /// <summary>Nonce of the last response; empty before the first.</summary>
    public string Nonce { get; set; } = "";

    /// <summary>The last response has been neither taken nor refused. Nothing more is sent until it is.</summary>
    public bool Awaiting { get; set; }

    /// <summary>Version that the last response gave to the client's resources.</summary>
    public string SentVersion { get; set; } = "";

    /// <summary>Version that the client last took; it stays with that when it refuses a newer one.</summary>
    public string AcknowledgedVersion { get; set; } = "";

    /// <summary>Nonce of the response that the client last took; empty before that.</summary>
    public string AcknowledgedNonce { get; set; } = "";

    /// <summary>Names of the changes in the last response.</summary>
    public IReadOnlyList<string> SentNames { get; set; } = [];

    public long SentAt { get; set; }

    /// <summary>The client's last refusal, until it takes a response again.</summary>
    public XdsRejection? Rejection { get; set; }

    /// <summary>The resources that the client refused and has not taken since.</summary>
    public CurrentRejections Rejected { get; } = new(!delta && ResourceTypes.IsWholeState(typeUrl));

    /// <summary>What a client that reconnects says it has (state of the world), until it has been compared.</summary>
    public string? ClaimedVersion { get; set; }
}
