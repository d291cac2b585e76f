namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>What happens to the requests that a rule selects, instead of their answer or before it.</summary>
public sealed record FaultRule
{
    /// <summary>Which requests; all when not set.</summary>
    public Func<RequestRecord, bool>? Matches { get; init; }

    /// <summary>How many requests the rule applies to before it ends; null: until it is removed.</summary>
    public int? Times { get; init; } = 1;

    /// <summary>Answer with this HTTP status (409, 410, 429, 500, 503 …) and the Status that Kubernetes sends with it.</summary>
    public int? StatusCode { get; init; }

    /// <summary>With status 429 or 503: the <c>Retry-After</c> header, in seconds.</summary>
    public int RetryAfterSeconds { get; init; } = 1;

    /// <summary>Wait this long before going on.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Close the connection without an answer, as a broken network does.</summary>
    public bool Disconnect { get; init; }
}
