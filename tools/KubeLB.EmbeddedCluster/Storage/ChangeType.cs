namespace KubeLB.EmbeddedCluster.Storage;

internal enum ChangeType
{
    Added,
    Modified,
    Deleted,
}
