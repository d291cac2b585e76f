namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>A change with its table, for followers of the whole store.</summary>
internal readonly record struct StoreChange(ResourceTable Table, WatchEvent Event);
