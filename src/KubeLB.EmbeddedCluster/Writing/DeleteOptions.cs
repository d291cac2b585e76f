namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of a delete.</summary>
internal sealed record DeleteOptions
{
    public Propagation? Propagation { get; init; }

    public string? PreconditionUid { get; init; }

    public string? PreconditionRevision { get; init; }

    public bool DryRun { get; init; }
}
