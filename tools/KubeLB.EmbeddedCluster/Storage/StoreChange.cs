namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>A change with the table it happened in, for those who follow the whole store.</summary>
internal readonly record struct StoreChange(ResourceTable Table, WatchEvent Event);
