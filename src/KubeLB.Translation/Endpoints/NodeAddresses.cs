using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Endpoints;

/// <summary>Translates a tenant's Nodes to the addresses that its proxies send traffic to.</summary>
public static class NodeAddresses
{
    /// <summary>
    /// The Addresses object: one address per ready, eligible node, sorted and distinct. If no eligible node is ready, all eligible nodes
    /// are listed, because an outdated status is more likely than a failure of all nodes, and the proxies detect failed nodes themselves.
    /// Without eligible nodes the object has no addresses.
    /// </summary>
    /// <param name="nodes">All Nodes of the tenant's cluster.</param>
    /// <param name="settings">Which nodes, which of their addresses, and how many.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    public static Addresses Translate(IEnumerable<V1Node> nodes, NodeAddressSettings settings, string tenantNamespace)
    {
        var candidates = nodes.Select(node => NodeFacts.Read(node, settings)).OfType<NodeFacts>().ToList();
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

            // The contract does not allow an empty list.
            Spec = new AddressesSpec { Addresses = addresses.Count == 0 ? null : addresses },
        };
    }
}

/// <summary>Which node addresses are used.</summary>
/// <param name="AddressType"><c>ExternalIP</c>, <c>InternalIP</c> or <c>Hostname</c>.</param>
/// <param name="Selector">Labels that a node must have; null for all nodes.</param>
/// <param name="MaxCount">At most this many addresses; 0 for no limit.</param>
public sealed record NodeAddressSettings(string AddressType, V1LabelSelector? Selector = null, int MaxCount = 0);

/// <summary>The properties of a Node that affect the addresses. Other changes, such as heartbeats, do not change them.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Zone">Value of <c>topology.kubernetes.io/zone</c>; empty if it has none.</param>
/// <param name="Address">The address that traffic is sent to.</param>
/// <param name="IsReady">Whether its condition <c>Ready</c> is True.</param>
public sealed partial record NodeFacts(string Name, string Zone, string Address, bool IsReady)
{
    /// <summary>Label that excludes a node from load balancing, regardless of its value.</summary>
    /// <remarks>
    /// https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-exclude-from-external-load-balancers
    /// </remarks>
    public const string ExcludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

    private const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>
    /// The facts of an eligible node, ready or not; null if the node is not eligible. Cordoned nodes are eligible: their pods still run.
    /// </summary>
    public static NodeFacts? Read(V1Node? node, NodeAddressSettings settings)
    {
        if (node is null || node.Metadata.DeletionTimestamp is not null)
        {
            return null;
        }

        var labels = new Dictionary<string, string>(node.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        return labels.ContainsKey(ExcludeLabel) || (settings.Selector is { } selector && !LabelSelectors.Matches(selector, labels)) ? null
            : AddressOf(node, settings.AddressType) is { } address
                ? new NodeFacts(node.Metadata.Name, labels.GetValueOrDefault(ZoneLabel, ""), address, IsReadyNow(node))
            : null;
    }

    // The first address is of the cluster's primary IP family.
    private static string? AddressOf(V1Node node, string type) =>
        (node.Status?.Addresses ?? [])
            .Where(a => a.Type == type && !string.IsNullOrWhiteSpace(a.Address))
            .Select(a => a.Address.Trim())
            .FirstOrDefault(address => type == "Hostname" || IpAddress().IsMatch(address));

    // The manager validates strictly. This check only prevents that an invalid address is chosen instead of a valid one.
    [GeneratedRegex(@"^[0-9a-fA-F:.]+\z")]
    private static partial Regex IpAddress();

    private static bool IsReadyNow(V1Node node) => node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;
}

/// <summary>
/// Chooses some of many nodes, evenly over zones. The choice depends on names only, and a node that is added or removed replaces at most
/// one other: the nodes of each zone are sorted by the hash of their names and are taken from all zones in round-robin order.
/// </summary>
internal static class NodeSpread
{
    public static IEnumerable<NodeFacts> Choose(IReadOnlyCollection<NodeFacts> nodes, int count) =>
        nodes
            .GroupBy(node => node.Zone, StringComparer.Ordinal)
            .SelectMany(zone =>
                zone.OrderBy(node => Rank(node.Name), StringComparer.Ordinal)
                    .Select((node, round) => (Node: node, Round: round, Zone: Rank(zone.Key)))
            )
            .OrderBy(candidate => candidate.Round)
            .ThenBy(candidate => candidate.Zone, StringComparer.Ordinal)
            .Take(count)
            .Select(candidate => candidate.Node);

    private static string Rank(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
