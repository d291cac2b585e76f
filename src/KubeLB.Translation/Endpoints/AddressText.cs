using System.Net;
using System.Text.RegularExpressions;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// Reads IP addresses in the one spelling that all programs understand alike: four decimal numbers without leading zeros, or IPv6 without
/// brackets and zone. What some read as octal, hexadecimal or one large number is no address here.
/// </summary>
internal static partial class AddressText
{
    /// <summary>The address; null if the text is none.</summary>
    public static IPAddress? Parse(string? text) =>
        text is { Length: <= 45 }
        && (IPv4().IsMatch(text) || (text.Contains(':', StringComparison.Ordinal) && IPv6().IsMatch(text)))
        && IPAddress.TryParse(text, out var address)
            ? address
            : null;

    /// <summary>
    /// The IPv4 addresses that an IPv6 address stands for on its way: mapped (RFC 4291), compatible (RFC 4291), of NAT64 (RFC 6052) and of
    /// 6to4 (RFC 3056). None if it is one of its own.
    /// </summary>
    public static IPAddress? Embedded(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return Mapped.Contains(address) || Nat64.Contains(address) || (Compatible.Contains(address) && !IsUnspecifiedOrLoopback(address))
                ? new IPAddress(bytes.AsSpan(12, 4))
            : SixToFour.Contains(address) ? new IPAddress(bytes.AsSpan(2, 4))
            : null;
    }

    /// <summary>Whether it is an IPv4 address in the clothes of IPv6 (<c>::ffff:10.0.0.1</c>, <c>::10.0.0.1</c>).</summary>
    public static bool IsIPv4InDisguise(IPAddress address) =>
        Mapped.Contains(address) || (Compatible.Contains(address) && !IsUnspecifiedOrLoopback(address));

    private static readonly AddressRange Mapped = AddressRange.Of("::ffff:0:0/96");
    private static readonly AddressRange Compatible = AddressRange.Of("::/96");
    private static readonly AddressRange Nat64 = AddressRange.Of("64:ff9b::/96");
    private static readonly AddressRange SixToFour = AddressRange.Of("2002::/16");

    private static bool IsUnspecifiedOrLoopback(IPAddress address) =>
        IPAddress.IPv6Any.Equals(address) || IPAddress.IPv6Loopback.Equals(address);

    [GeneratedRegex(@"^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IPv4();

    [GeneratedRegex(@"^[0-9a-fA-F:]+(:(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex IPv6();
}
