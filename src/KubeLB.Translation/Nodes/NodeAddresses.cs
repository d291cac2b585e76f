using k8s.Models;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Nodes;

/// <summary>A tenant's Nodes → the addresses that its proxies send to.</summary>
public static class NodeAddresses
{
    /// <summary>
    /// The Addresses object: an address per ready node that may get traffic, sorted, without repeats. While no such node is ready all of
    /// them are listed: it is more likely that nobody hears of them than that all are down, and proxies check for themselves. Without
    /// any such node the object has no addresses.
    /// </summary>
    /// <param name="nodes">All Nodes of the tenant's cluster.</param>
    /// <param name="settings">Which nodes, which of their addresses, and how many.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    public static Addresses Translate(IEnumerable<V1Node> nodes, NodeAddressSettings settings, string tenantNamespace)
    {
        var candidates = nodes.Select(node => NodeFacts.Of(node, settings)).OfType<NodeFacts>().ToList();
        var ready = candidates.Where(node => node.IsReady).ToList();
        var usable = ready.Count > 0 ? ready : candidates;
        var chosen = settings.MaxCount > 0 ? NodeSpread.Choose(usable, settings.MaxCount) : usable;
        var addresses = chosen
            .Select(node => node.Address)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(address =>
                settings.AddressType == "Hostname" ? new EndpointAddress { Hostname = address } : new EndpointAddress { Ip = address }
            )
            .ToList();
        return new()
        {
            Metadata = new V1ObjectMeta { Name = Addresses.DefaultName, NamespaceProperty = tenantNamespace },

            // The contract allows no empty list, only none.
            Spec = new AddressesSpec { Addresses = addresses.Count == 0 ? null : addresses },
        };
    }
}
