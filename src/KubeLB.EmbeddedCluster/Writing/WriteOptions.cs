namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of one write, and what the writer has to tell the client beside the result.</summary>
internal sealed class WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>Warnings for the response's <c>Warning</c> headers.</summary>
    public List<string> Warnings { get; } = [];
}
