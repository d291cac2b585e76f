using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Translation.Attachment;

namespace KubeLB.Translation.Nodes;

/// <summary>What matters of a Node. Equal as long as a change (a heartbeat, an image that was pulled) is of no consequence.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Zone">Value of <c>topology.kubernetes.io/zone</c>; empty if it is in none.</param>
/// <param name="Address">The address that traffic is sent to.</param>
/// <param name="IsReady">Whether its kubelet says that it can run pods.</param>
public sealed partial record NodeFacts(string Name, string Zone, string Address, bool IsReady)
{
    /// <summary>Keeps traffic from load balancers away from a node, whatever its value.</summary>
    /// <remarks>
    /// https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-exclude-from-external-load-balancers
    /// </remarks>
    public const string ExcludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

    private const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>
    /// The facts of a node that may get traffic; null if it may not, ready or not. Cordoned nodes may: their pods run on.
    /// </summary>
    public static NodeFacts? Of(V1Node? node, NodeAddressSettings settings)
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

    // The first one is of the family that the cluster prefers.
    private static string? AddressOf(V1Node node, string type) =>
        (node.Status?.Addresses ?? [])
            .Where(a => a.Type == type && !string.IsNullOrWhiteSpace(a.Address))
            .Select(a => a.Address.Trim())
            .FirstOrDefault(address => type == "Hostname" || IpAddress().IsMatch(address));

    // The management side looks closer; here it only must not hide a good address behind it.
    [GeneratedRegex(@"^[0-9a-fA-F:.]+\z")]
    private static partial Regex IpAddress();

    private static bool IsReadyNow(V1Node node) => node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;
}
