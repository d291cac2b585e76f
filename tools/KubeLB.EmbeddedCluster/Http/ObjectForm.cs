namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The form of object that a client wants.</summary>
internal enum ObjectForm
{
    Whole,
    Table,
    PartialMetadata,
}
