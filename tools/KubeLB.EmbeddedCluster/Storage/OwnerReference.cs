namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>A reference from a dependent to its owner.</summary>
internal sealed record OwnerReference(string Uid, string ApiVersion, string Kind, string Name, bool BlocksDeletion);
