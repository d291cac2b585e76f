namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Allocations for an object that is not committed yet.</summary>
internal interface IReservation
{
    /// <summary>Releases the new allocations, because the write failed.</summary>
    void Release();
}
