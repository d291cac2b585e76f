using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>What a delete did.</summary>
/// <param name="Object">The object as it now is, or last was.</param>
/// <param name="Gone">It is gone; otherwise finalizers hold it.</param>
internal readonly record struct DeleteOutcome(StoredObject Object, bool Gone);
