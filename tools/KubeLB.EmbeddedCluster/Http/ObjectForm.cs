namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The requested form of an object.</summary>
internal enum ObjectForm
{
    Whole,
    Table,
    PartialMetadata,
}
