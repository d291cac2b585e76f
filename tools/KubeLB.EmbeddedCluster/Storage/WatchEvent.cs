namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>One committed change of one object.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Object">The object after the change; for a deletion its last state, at the deletion's resourceVersion.</param>
/// <param name="Previous">The object before the change.</param>
internal sealed record WatchEvent(ChangeType Type, StoredObject Object, StoredObject? Previous)
{
    public long Revision => Object.Revision;
}
