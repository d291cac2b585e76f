using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>The result of a delete.</summary>
/// <param name="Object">The current or last state of the object.</param>
/// <param name="Gone">Whether it was removed; otherwise it is terminating.</param>
internal readonly record struct DeleteOutcome(StoredObject Object, bool Gone);
