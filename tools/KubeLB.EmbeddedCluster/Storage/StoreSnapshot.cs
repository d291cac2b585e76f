using System.Collections.Immutable;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>Every object of a store at one moment.</summary>
/// <param name="Revision">The store's resourceVersion at that moment.</param>
/// <param name="Tables">The tables that there were; one that is missing was empty.</param>
internal sealed record StoreSnapshot(long Revision, IReadOnlyDictionary<ResourceTable, TableSnapshot> Tables)
{
    public TableSnapshot Of(ResourceTable table) => Tables.GetValueOrDefault(table) ?? new TableSnapshot(Revision, table.Current.Clear());
}
