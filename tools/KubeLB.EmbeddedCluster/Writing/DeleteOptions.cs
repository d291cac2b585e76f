namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of a delete.</summary>
internal sealed record DeleteOptions
{
    public Propagation? Propagation { get; init; }

    public string? PreconditionUid { get; init; }

    public string? PreconditionRevision { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Seconds that a kind which ends gracefully gets; null for what the object says.</summary>
    public long? GracePeriodSeconds { get; init; }
}
