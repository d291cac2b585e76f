using System.Net;

namespace KubeLB.Translation.Endpoints;

/// <summary>Ranges that no tenant's node has, from IANA's registries of special addresses, and what they are.</summary>
/// <remarks>
/// https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry. Private ranges
/// are not among them: nodes have such addresses.
/// </remarks>
internal static class ReservedAddressRanges
{
    // Traffic cannot be sent to one machine there, whatever anybody allows; 0.0.0.0 even reaches the proxy itself.
    private static readonly (AddressRange Range, string What)[] Never =
    [
        (AddressRange.Of("0.0.0.0/8"), "unspecified"),
        (AddressRange.Of("::/128"), "unspecified"),
        (AddressRange.Of("255.255.255.255/32"), "the broadcast address"),
        (AddressRange.Of("224.0.0.0/4"), "multicast"),
        (AddressRange.Of("ff00::/8"), "multicast"),
        (AddressRange.Of("240.0.0.0/4"), "reserved"),
    ];

    private static readonly (AddressRange Range, string What)[] UnlessAllowed =
    [
        (AddressRange.Of("127.0.0.0/8"), "loopback: the proxy itself"),
        (AddressRange.Of("::1/128"), "loopback: the proxy itself"),
        (AddressRange.Of("169.254.0.0/16"), "link-local, where clouds serve credentials"),
        (AddressRange.Of("fe80::/10"), "link-local"),
        (AddressRange.Of("fec0::/10"), "site-local"),
        (AddressRange.Of("fd00:ec2::254/128"), "a cloud's metadata service"),
        (AddressRange.Of("fd20:ce::254/128"), "a cloud's metadata service"),
        (AddressRange.Of("100.100.100.200/32"), "a cloud's metadata service"),
        (AddressRange.Of("168.63.129.16/32"), "a cloud's metadata service"),
        (AddressRange.Of("192.0.0.192/32"), "a cloud's metadata service"),
    ];

    /// <summary>What an address is that is never an endpoint; null if it may be one.</summary>
    public static string? NeverUsable(IPAddress address) => Find(Never, address);

    /// <summary>What an address is that is an endpoint only where somebody allows it; null if it needs no permission.</summary>
    public static string? UsableIfAllowed(IPAddress address) => Find(UnlessAllowed, address);

    private static string? Find((AddressRange Range, string What)[] ranges, IPAddress address) =>
        ranges.FirstOrDefault(r => r.Range.Contains(address)).What;
}
