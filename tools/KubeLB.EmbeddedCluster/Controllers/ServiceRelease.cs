using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources.Services;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Releases the addresses and node ports of Services when the change is committed.</summary>
internal static class ServiceRelease
{
    public static void Follow(ClusterStore store, ServiceAddresses addresses)
    {
        var services = store.Table("", "services");
        store.Follow(change =>
        {
            if (change.Table != services || change.Event.Previous is not { } previous)
            {
                return;
            }
            var before = previous.ToTree().Object("spec");
            var after = change.Event.Type == ChangeType.Deleted ? null : change.Event.Object.ToTree().Object("spec");
            addresses.Free(
                ServiceReservation.AddressesOf(before).Except(ServiceReservation.AddressesOf(after)),
                ServiceReservation.PortsOf(before).Except(ServiceReservation.PortsOf(after))
            );
        });
    }
}
