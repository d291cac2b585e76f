namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>One committed change of one object.</summary>
/// <param name="Type">The type of the change.</param>
/// <param name="Object">The object after the change; for a deletion the last state with the resourceVersion of the deletion.</param>
/// <param name="Previous">The object before the change.</param>
internal sealed record WatchEvent(ChangeType Type, StoredObject Object, StoredObject? Previous)
{
    public long Revision => Object.Revision;
}
