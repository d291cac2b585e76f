namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>What of an object never changes, and its ties to others.</summary>
/// <param name="Namespace">Empty for cluster-scoped objects.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Uid">The object's uid.</param>
/// <param name="Owners">Owner references.</param>
/// <param name="IsTerminating">A deletionTimestamp is set.</param>
internal sealed record ObjectIdentity(string Namespace, string Name, string Uid, IReadOnlyList<OwnerReference> Owners, bool IsTerminating);
