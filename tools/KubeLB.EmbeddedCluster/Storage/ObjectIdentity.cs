namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>The identity of an object, and its owners.</summary>
/// <param name="Namespace">Empty for cluster-scoped objects.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Uid">The object's uid.</param>
/// <param name="Owners">Owner references.</param>
/// <param name="IsTerminating">Whether deletionTimestamp is set.</param>
internal sealed record ObjectIdentity(string Namespace, string Name, string Uid, IReadOnlyList<OwnerReference> Owners, bool IsTerminating);
