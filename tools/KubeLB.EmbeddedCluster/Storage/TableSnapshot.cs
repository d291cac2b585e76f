using System.Collections.Immutable;
using NamespaceMap = System.Collections.Immutable.ImmutableSortedDictionary<string, KubeLB.EmbeddedCluster.Storage.StoredObject>;

namespace KubeLB.EmbeddedCluster.Storage;

/// <summary>All objects of one resource at one resourceVersion.</summary>
/// <param name="Revision">The store's resourceVersion at that time.</param>
/// <param name="Namespaces">Objects by namespace (empty for cluster-scoped ones) and name.</param>
internal sealed record TableSnapshot(long Revision, ImmutableSortedDictionary<string, NamespaceMap> Namespaces)
{
    public StoredObject? Find(string @namespace, string name) =>
        Namespaces.TryGetValue(@namespace, out var objects) && objects.TryGetValue(name, out var found) ? found : null;

    /// <summary>Objects ordered by key, of one namespace or (null) of all.</summary>
    public IEnumerable<StoredObject> Objects(string? @namespace) =>
        @namespace is null ? Namespaces.Values.SelectMany(objects => objects.Values)
        : Namespaces.TryGetValue(@namespace, out var one) ? one.Values
        : [];
}
