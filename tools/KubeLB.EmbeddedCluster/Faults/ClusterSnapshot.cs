using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>
/// A copy of everything that an embedded cluster stores, as a backup of etcd is. It is good for the cluster that it was taken from.
/// </summary>
public sealed class ClusterSnapshot
{
    internal ClusterSnapshot(StoreSnapshot content) => Content = content;

    /// <summary>The resourceVersion at which the copy was taken.</summary>
    public long Revision => Content.Revision;

    internal StoreSnapshot Content { get; }
}
