namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>What happens to members that the schema does not know.</summary>
internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>Options of one write, and what the writer has to tell the client beside the result.</summary>
internal sealed class WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>Warnings for the response's <c>Warning</c> headers.</summary>
    public List<string> Warnings { get; } = [];
}

internal enum Propagation
{
    Background,
    Foreground,
    Orphan,
}

/// <summary>Options of a delete.</summary>
internal sealed record DeleteOptions
{
    public Propagation? Propagation { get; init; }

    public string? PreconditionUid { get; init; }

    public string? PreconditionRevision { get; init; }

    public bool DryRun { get; init; }
}
