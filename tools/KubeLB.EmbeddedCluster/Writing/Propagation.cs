namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>The propagation policy of a delete.</summary>
internal enum Propagation
{
    Background,
    Foreground,
    Orphan,
}
