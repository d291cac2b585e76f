namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Options of one write, and its warnings.</summary>
internal sealed class WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>The field manager, for <c>metadata.managedFields</c>.</summary>
    public string Manager { get; init; } = "kube-controller-manager";

    /// <summary>The subresource of the write, for <c>metadata.managedFields</c>; empty for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Whether the object is the result of a server-side apply, with updated managed fields.</summary>
    public bool IsApply { get; init; }

    /// <summary>Warnings for the <c>Warning</c> response headers.</summary>
    public List<string> Warnings { get; } = [];
}
