namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>A field that another manager owns with another value.</summary>
internal sealed record FieldConflict(ManagedEntry Owner, IReadOnlyList<string> Path);
