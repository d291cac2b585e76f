namespace KubeLB.Api.EnvoyGateway;

/// <summary>Annotations with which a tenant asks for retries on an HTTPRoute or GRPCRoute.</summary>
public static class RetryAnnotations
{
    /// <summary>What is retried: words of <see cref="RetryTriggers"/> and status codes, separated by commas.</summary>
    public const string RetryOn = $"{ApiGroups.EnvoyGateway}/retry-on";

    /// <summary>How often a request is tried again at most.</summary>
    public const string NumRetries = $"{ApiGroups.EnvoyGateway}/num-retries";

    /// <summary>Time for one attempt, a Gateway API duration.</summary>
    public const string PerTryTimeout = $"{ApiGroups.EnvoyGateway}/retry-per-try-timeout";

    /// <summary>The first pause between attempts at most, a Gateway API duration above zero.</summary>
    public const string BackOffBaseInterval = $"{ApiGroups.EnvoyGateway}/retry-back-off-base-interval";

    /// <summary>Any pause between attempts at most, a Gateway API duration; needs <see cref="BackOffBaseInterval"/>.</summary>
    public const string BackOffMaxInterval = $"{ApiGroups.EnvoyGateway}/retry-back-off-max-interval";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [RetryOn, NumRetries, PerTryTimeout, BackOffBaseInterval, BackOffMaxInterval];
}
