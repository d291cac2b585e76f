namespace KubeLB.EmbeddedCluster.Storage;

internal enum ChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One committed change of one object.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Object">The object after the change; for a deletion its last state, at the deletion's resourceVersion.</param>
/// <param name="Previous">The object before the change.</param>
internal sealed record WatchEvent(ChangeType Type, StoredObject Object, StoredObject? Previous)
{
    public long Revision => Object.Revision;
}

/// <summary>A change with the table it happened in, for those who follow the whole store.</summary>
internal readonly record struct StoreChange(ResourceTable Table, WatchEvent Event);
