namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of one write, and what the writer has to tell the client beside the result.</summary>
internal sealed class WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>Who writes, for <c>metadata.managedFields</c>.</summary>
    public string Manager { get; init; } = "kube-controller-manager";

    /// <summary>The subresource that the client writes through, for <c>metadata.managedFields</c>; empty for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>The object is the result of a server-side apply and names its owners already.</summary>
    public bool IsApply { get; init; }

    /// <summary>Warnings for the response's <c>Warning</c> headers.</summary>
    public List<string> Warnings { get; } = [];
}
