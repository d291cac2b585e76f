using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Nodes;

/// <summary>A tenant's Nodes → the addresses that its proxies send to.</summary>
public static class NodeAddresses
{
    /// <summary>The Addresses object: ready nodes, the first address of the chosen type each, sorted, without repeats.</summary>
    /// <param name="nodes">All Nodes of the tenant's cluster.</param>
    /// <param name="addressType"><c>ExternalIP</c>, <c>InternalIP</c> or <c>Hostname</c>.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    public static Addresses Translate(IEnumerable<V1Node> nodes, string addressType, string tenantNamespace) => new()
    {
        Metadata = new V1ObjectMeta { Name = Addresses.DefaultName, NamespaceProperty = tenantNamespace },
        Spec = new AddressesSpec
        {
            Addresses = [.. nodes
                .Where(IsReady)
                .Select(node => node.Status.Addresses?.FirstOrDefault(a => a.Type == addressType)?.Address)
                .OfType<string>()
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Select(address => addressType == "Hostname"
                    ? new EndpointAddress { Hostname = address }
                    : new EndpointAddress { Ip = address })],
        },
    };

    private static bool IsReady(V1Node node) =>
        node.Metadata.DeletionTimestamp is null
        && node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;
}
