namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>A fault rule: what happens to matching requests before or instead of the response.</summary>
public sealed record FaultRule
{
    /// <summary>Selects the requests; null for all.</summary>
    public Func<RequestRecord, bool>? Matches { get; init; }

    /// <summary>Number of requests that the rule applies to; null for all until it is removed.</summary>
    public int? Times { get; init; } = 1;

    /// <summary>HTTP status of the response (409, 410, 429, 500, 503 …), with the Status that Kubernetes sends for it.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The <c>Retry-After</c> header in seconds, with status 429 or 503.</summary>
    public int RetryAfterSeconds { get; init; } = 1;

    /// <summary>Delay before the response.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Whether to close the connection without a response.</summary>
    public bool Disconnect { get; init; }
}
