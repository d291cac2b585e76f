namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>What a delete does with the dependents of the object.</summary>
internal enum Propagation
{
    Background,
    Foreground,
    Orphan,
}
