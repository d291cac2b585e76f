namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Something taken for an object that is not committed yet.</summary>
internal interface IReservation
{
    /// <summary>Gives back what was newly taken, because the write did not happen.</summary>
    void Release();
}
