using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace KubeLB.Translation.Endpoints;

/// <summary>A range of IP addresses in CIDR notation, for example <c>10.0.0.0/8</c>. Host bits are ignored.</summary>
/// <param name="IsIPv4">Whether it is a range of IPv4 addresses.</param>
/// <param name="Network">The first address of the range, as a number.</param>
/// <param name="Prefix">The length of the prefix in bits.</param>
internal readonly record struct AddressRange(bool IsIPv4, UInt128 Network, int Prefix)
{
    /// <summary>Parses a range; null if it is invalid. A single address is a range of one.</summary>
    public static AddressRange? Parse(string? text)
    {
        var (address, length) = text?.Trim().Split('/') switch
        {
            [var alone] => (alone, null),
            [var network, var bits] => (network, bits),
            _ => (null, null),
        };
        if (AddressText.Parse(address) is not { } parsed)
        {
            return null;
        }

        var all = BitsOf(IsIPv4Address(parsed));
        return length is null ? Of(parsed, all)
            : int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) && prefix <= all ? Of(parsed, prefix)
            : null;
    }

    /// <summary>Parses a range that is known to be valid.</summary>
    public static AddressRange Of(string text) => Parse(text) ?? throw new FormatException($"\"{text}\" is not a range of addresses.");

    /// <summary>
    /// All addresses that an invalid range could mean: those of its family, or of both families if the text does not show it.
    /// </summary>
    public static IEnumerable<AddressRange> Widest(string? invalid)
    {
        var isIPv6 = invalid?.Contains(':', StringComparison.Ordinal) == true;
        var isIPv4 = invalid?.Contains('.', StringComparison.Ordinal) == true && !isIPv6;
        return [.. isIPv6 ? [] : new[] { Of("0.0.0.0/0") }, .. isIPv4 ? [] : new[] { Of("::/0") }];
    }

    /// <summary>The first address of the range with a prefix that contains an address, as a number.</summary>
    public static UInt128 NetworkOf(IPAddress address, int prefix) =>
        BinaryPrimitives.ReadUInt128BigEndian(Widen(address.GetAddressBytes())) & MaskOf(IsIPv4Address(address), prefix);

    /// <summary>
    /// The same addresses in as few ranges as possible, IPv4 first, in the order of their addresses: ranges in others are omitted, and two
    /// halves of a range are one.
    /// </summary>
    public static IReadOnlyList<AddressRange> Merge(IEnumerable<AddressRange> ranges)
    {
        var merged = new List<AddressRange>();
        foreach (var range in ranges.OrderBy(r => BitsOf(r.IsIPv4)).ThenBy(r => r.Network).ThenBy(r => r.Prefix))
        {
            if (merged.Count > 0 && merged[^1].Contains(range))
            {
                continue;
            }

            merged.Add(range);
            while (merged.Count > 1 && merged[^2].IsOtherHalfOf(merged[^1]))
            {
                var first = merged[^2];
                merged.RemoveRange(merged.Count - 2, 2);
                merged.Add(first with { Prefix = first.Prefix - 1 });
            }
        }

        return merged;
    }

    /// <summary>Whether an address of the same family is in the range.</summary>
    public bool Contains(IPAddress address) => IsIPv4Address(address) == IsIPv4 && NetworkOf(address, Prefix) == Network;

    /// <summary>Whether another range of the same family is in this range, or equal to it.</summary>
    public bool Contains(AddressRange other) =>
        other.IsIPv4 == IsIPv4 && other.Prefix >= Prefix && (other.Network & MaskOf(IsIPv4, Prefix)) == Network;

    /// <inheritdoc />
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Network);
        return $"{new IPAddress(IsIPv4 ? bytes[12..] : bytes)}/{Prefix}";
    }

    private static AddressRange Of(IPAddress address, int prefix) => new(IsIPv4Address(address), NetworkOf(address, prefix), prefix);

    private static int BitsOf(bool isIPv4) => isIPv4 ? 32 : 128;

    // An IPv4 address is in the lowest 32 bits.
    private static UInt128 MaskOf(bool isIPv4, int prefix)
    {
        var bits = BitsOf(isIPv4);
        var all = isIPv4 ? uint.MaxValue : UInt128.MaxValue;
        return prefix == 0 ? 0 : all & (UInt128.MaxValue << (bits - prefix));
    }

    /// <summary>Whether it is an IPv4 address.</summary>
    public static bool IsIPv4Address(IPAddress address) => address.GetAddressBytes().Length == 4;

    private static byte[] Widen(byte[] address) => address.Length == 16 ? address : [.. new byte[12], .. address];

    private bool IsOtherHalfOf(AddressRange second) =>
        IsIPv4 == second.IsIPv4
        && Prefix == second.Prefix
        && Prefix > 0
        && Network != second.Network
        && (second.Network & MaskOf(IsIPv4, Prefix - 1)) == Network;
}

/// <summary>
/// Parses IP addresses in the notation that all programs interpret in the same way: four decimal numbers without leading zeros, or IPv6
/// without brackets and zone. Octal, hexadecimal and single-number notations are invalid.
/// </summary>
internal static partial class AddressText
{
    /// <summary>The address; null if the text is invalid.</summary>
    public static IPAddress? Parse(string? text) =>
        text is { Length: <= 45 }
        && (IPv4().IsMatch(text) || (text.Contains(':', StringComparison.Ordinal) && IPv6().IsMatch(text)))
        && IPAddress.TryParse(text, out var address)
            ? address
            : null;

    /// <summary>
    /// The IPv4 address that an IPv6 address embeds: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052, and RFC 8215
    /// with a prefix of 96 bits), 6to4 (RFC 3056) and the client of Teredo (RFC 4380). Null if it embeds none.
    /// </summary>
    public static IPAddress? Embedded(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return InLastBytes.Any(range => range.Contains(address)) || (Compatible.Contains(address) && !IsUnspecifiedOrLoopback(address))
                ? new IPAddress(bytes.AsSpan(12, 4))
            : SixToFour.Contains(address) ? new IPAddress(bytes.AsSpan(2, 4))
            : Teredo.Contains(address) ? new IPAddress([.. bytes[12..].Select(b => (byte)~b)])
            : null;
    }

    /// <summary>Whether it is an IPv4-mapped or IPv4-compatible IPv6 address (<c>::ffff:10.0.0.1</c>, <c>::10.0.0.1</c>).</summary>
    public static bool IsIPv4MappedOrCompatible(IPAddress address) =>
        Mapped.Contains(address) || (Compatible.Contains(address) && !IsUnspecifiedOrLoopback(address));

    private static readonly AddressRange Mapped = AddressRange.Of("::ffff:0:0/96");
    private static readonly AddressRange Compatible = AddressRange.Of("::/96");
    private static readonly AddressRange SixToFour = AddressRange.Of("2002::/16");
    private static readonly AddressRange Teredo = AddressRange.Of("2001::/32");

    private static readonly AddressRange[] InLastBytes =
    [
        Mapped,
        AddressRange.Of("::ffff:0:0:0/96"),
        AddressRange.Of("64:ff9b::/96"),
        AddressRange.Of("64:ff9b:1::/48"),
    ];

    private static bool IsUnspecifiedOrLoopback(IPAddress address) =>
        IPAddress.IPv6Any.Equals(address) || IPAddress.IPv6Loopback.Equals(address);

    [GeneratedRegex(@"^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IPv4();

    [GeneratedRegex(@"^[0-9a-fA-F:]+(:(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex IPv6();
}

/// <summary>
/// Address ranges that nodes do not have, with a description: special addresses of IANA's registries and metadata services of clouds.
/// </summary>
/// <remarks>
/// https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry. Private ranges
/// are not included: nodes have such addresses.
/// </remarks>
internal static class ReservedAddressRanges
{
    // No machine has such an address. A connection to 0.0.0.0 reaches the proxy itself.
    private static readonly (AddressRange Range, string Description)[] Never =
    [
        (AddressRange.Of("0.0.0.0/8"), "an address of the unspecified network 0.0.0.0/8"),
        (AddressRange.Of("::/128"), "the unspecified address"),
        (AddressRange.Of("255.255.255.255/32"), "the broadcast address"),
        (AddressRange.Of("224.0.0.0/4"), "a multicast address"),
        (AddressRange.Of("ff00::/8"), "a multicast address"),
        (AddressRange.Of("240.0.0.0/4"), "a reserved address"),
    ];

    private static readonly (AddressRange Range, string Description)[] UnlessAllowed =
    [
        (AddressRange.Of("127.0.0.0/8"), "a loopback address: the proxy itself"),
        (AddressRange.Of("::1/128"), "a loopback address: the proxy itself"),
        (AddressRange.Of("169.254.0.0/16"), "a link-local address, where clouds serve credentials"),
        (AddressRange.Of("fe80::/10"), "a link-local address"),
        (AddressRange.Of("fec0::/10"), "a site-local address"),
        (AddressRange.Of("::ffff:0:0:0/96"), "an IPv4-translated address"),
        (AddressRange.Of("64:ff9b:1::/48"), "an address of a local NAT64"),
        (AddressRange.Of("2001::/32"), "a Teredo address"),
        (AddressRange.Of("fd00:ec2::/32"), "the metadata service of a cloud"),
        (AddressRange.Of("fd00:c1::a9fe:a9fe/128"), "the metadata service of a cloud"),
        (AddressRange.Of("fd00:42::42/128"), "the metadata service of a cloud"),
        (AddressRange.Of("fd20:ce::254/128"), "the metadata service of a cloud"),
        (AddressRange.Of("100.80.80.80/32"), "the metadata service of a cloud"),
        (AddressRange.Of("100.100.100.200/32"), "the metadata service of a cloud"),
        (AddressRange.Of("168.63.129.16/32"), "the metadata service of a cloud"),
        (AddressRange.Of("192.0.0.192/32"), "the metadata service of a cloud"),
    ];

    /// <summary>All ranges.</summary>
    public static IEnumerable<AddressRange> All => Never.Concat(UnlessAllowed).Select(r => r.Range);

    /// <summary>Description of an address that is never used; null if it may be used.</summary>
    public static string? NeverUsable(IPAddress address) => Find(Never, address);

    /// <summary>Description of an address that is used only if the settings allow it; null if it needs no permission.</summary>
    public static string? UsableIfAllowed(IPAddress address) => Find(UnlessAllowed, address);

    private static string? Find((AddressRange Range, string Description)[] ranges, IPAddress address) =>
        ranges.FirstOrDefault(r => r.Range.Contains(address)).Description;
}
