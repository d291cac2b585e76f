using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Faults;

/// <summary>
/// A copy of the stored objects of an embedded cluster, like an etcd backup. It can only be restored into the same cluster.
/// </summary>
public sealed class ClusterSnapshot
{
    internal ClusterSnapshot(StoreSnapshot content) => Content = content;

    /// <summary>The resourceVersion at which the copy was taken.</summary>
    public long Revision => Content.Revision;

    internal StoreSnapshot Content { get; }
}
