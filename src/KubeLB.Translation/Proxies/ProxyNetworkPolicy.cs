using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The NetworkPolicy of a tenant's proxies. They may connect to node ports of permitted addresses, to the xDS server and to DNS servers, so
/// that a host name that resolves to another address, or an attacker in a proxy, does not reach the management cluster.
/// </summary>
/// <remarks>
/// A peer is a range with exceptions, and peers add up: a range that the settings allow is a peer of its own. Addresses are permitted in
/// the same order as in <see cref="AddressPolicy"/>. https://kubernetes.io/docs/concepts/services-networking/network-policies/
/// </remarks>
public static class ProxyNetworkPolicy
{
    private const string NamespaceName = "kubernetes.io/metadata.name";

    // Behind the Service's port 53, DNS servers of OpenShift listen on 5353, and those of Gardener on 8053.
    private static readonly int[] DnsPorts = [53, 5353, 8053];

    private static readonly string[] Protocols = ["TCP", "UDP"];

    private static readonly AddressRange[] Everything = [AddressRange.Of("0.0.0.0/0"), AddressRange.Of("::/0")];

    /// <summary>The egress rules.</summary>
    /// <param name="tenant">The Tenant's settings of addresses; null if it has none.</param>
    /// <param name="config">The Config's settings of addresses; null if it has none.</param>
    /// <param name="managementCluster">The addresses of the management cluster itself.</param>
    /// <param name="nodePorts">The permitted node ports.</param>
    /// <param name="managerNamespace">The namespace of the xDS server.</param>
    /// <param name="xdsPort">The port on which the xDS server listens.</param>
    public static IList<V1NetworkPolicyEgressRule> Egress(
        AddressSettings? tenant,
        AddressSettings? config,
        AddressSet managementCluster,
        NodePortRanges nodePorts,
        string managerNamespace,
        int xdsPort
    ) =>
        [
            new()
            {
                To =
                [
                    new V1NetworkPolicyPeer
                    {
                        NamespaceSelector = new V1LabelSelector
                        {
                            MatchLabels = new Dictionary<string, string>(StringComparer.Ordinal) { [NamespaceName] = managerNamespace },
                        },
                    },
                ],
                Ports = [new V1NetworkPolicyPort { Port = xdsPort, Protocol = "TCP" }],
            },
            new()
            {
                Ports =
                [
                    .. DnsPorts.SelectMany(port =>
                        Protocols.Select(protocol => new V1NetworkPolicyPort { Port = port, Protocol = protocol })
                    ),
                ],
            },
            .. ToNodes(tenant, config, managementCluster, nodePorts),
        ];

    // A rule without peers would permit every destination.
    private static IEnumerable<V1NetworkPolicyEgressRule> ToNodes(
        AddressSettings? tenant,
        AddressSettings? config,
        AddressSet managementCluster,
        NodePortRanges nodePorts
    )
    {
        var peers = Peers(tenant, config, managementCluster).Select(Peer).ToList();
        return peers.Count == 0
            ? []
            :
            [
                new V1NetworkPolicyEgressRule
                {
                    To = peers,
                    Ports =
                    [
                        .. nodePorts.Ranges.SelectMany(range =>
                            Protocols.Select(protocol => new V1NetworkPolicyPort
                            {
                                Port = range.First,
                                EndPort = range.Last == range.First ? null : range.Last,
                                Protocol = protocol,
                            })
                        ),
                    ],
                },
            ];
    }

    private static IEnumerable<(AddressRange Range, IReadOnlyList<AddressRange> Except)> Peers(
        AddressSettings? tenant,
        AddressSettings? config,
        AddressSet managementCluster
    )
    {
        var deniedByTenant = Denied(tenant).ToList();
        var denied = deniedByTenant.Concat(Denied(config)).ToList();

        // A permitted host name can resolve to an address outside of the ranges.
        var hasHostnames = tenant?.AllowHostnames is { Count: > 0 } || config?.AllowHostnames is { Count: > 0 };
        var limit = hasHostnames ? null : tenant?.Ranges ?? config?.Ranges;
        var byDefault = Without(
            limit is null ? Everything : Parse(limit),
            [.. denied, .. ReservedAddressRanges.All, .. Parse(managementCluster.Ranges())]
        );
        return byDefault.Concat(Without(Parse(config?.Allow), denied)).Concat(Without(Parse(tenant?.Allow), deniedByTenant));
    }

    private static IEnumerable<(AddressRange Range, IReadOnlyList<AddressRange> Except)> Without(
        IEnumerable<AddressRange> ranges,
        IReadOnlyList<AddressRange> denied
    ) =>
        AddressRange
            .Merge(ranges)
            .Where(range => !denied.Any(other => other.Contains(range)))
            .Select(range => (Range: range, Except: AddressRange.Merge(denied.Where(range.Contains))))
            .Where(peer => !peer.Except.Contains(peer.Range));

    private static V1NetworkPolicyPeer Peer((AddressRange Range, IReadOnlyList<AddressRange> Except) peer) =>
        new()
        {
            IpBlock = new V1IPBlock
            {
                Cidr = peer.Range.ToString(),
                Except = peer.Except.Count == 0 ? null : [.. peer.Except.Select(range => range.ToString())],
            },
        };

    private static IEnumerable<AddressRange> Denied(AddressSettings? settings) =>
        (settings?.Deny ?? []).SelectMany(text => AddressRange.Parse(text) is { } range ? [range] : AddressRange.Widest(text));

    private static IEnumerable<AddressRange> Parse(IEnumerable<string>? texts) =>
        (texts ?? []).Select(AddressRange.Parse).OfType<AddressRange>();
}
