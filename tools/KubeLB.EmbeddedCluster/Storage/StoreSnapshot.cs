using System.Collections.Immutable;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>All objects of a store at one resourceVersion.</summary>
/// <param name="Revision">The store's resourceVersion at that time.</param>
/// <param name="Tables">The tables; a missing one was empty.</param>
internal sealed record StoreSnapshot(long Revision, IReadOnlyDictionary<ResourceTable, TableSnapshot> Tables)
{
    public TableSnapshot Of(ResourceTable table) => Tables.GetValueOrDefault(table) ?? new TableSnapshot(Revision, table.Current.Clear());
}
