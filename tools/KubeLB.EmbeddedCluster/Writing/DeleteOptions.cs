namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of a delete.</summary>
internal sealed record DeleteOptions
{
    public Propagation? Propagation { get; init; }

    public string? PreconditionUid { get; init; }

    public string? PreconditionRevision { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Grace period in seconds of kinds with graceful deletion; null for that of the object.</summary>
    public long? GracePeriodSeconds { get; init; }
}
