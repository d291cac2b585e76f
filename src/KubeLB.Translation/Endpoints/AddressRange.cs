using System.Globalization;
using System.Net;

namespace KubeLB.Translation.Endpoints;

/// <summary>A range of IP addresses in CIDR notation, for example <c>10.0.0.0/8</c>. Bits behind the prefix do not count.</summary>
internal sealed class AddressRange
{
    private readonly byte[] _network;
    private readonly int _prefix;

    private AddressRange(byte[] network, int prefix)
    {
        _network = network;
        _prefix = prefix;
    }

    /// <summary>Reads a range; null if it is none. A lone address is a range of one.</summary>
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

        var all = parsed.GetAddressBytes().Length * 8;
        return length is null ? new AddressRange(parsed.GetAddressBytes(), all)
            : int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) && prefix <= all
                ? new AddressRange(parsed.GetAddressBytes(), prefix)
            : null;
    }

    /// <summary>A range that is written in the program.</summary>
    public static AddressRange Of(string text) => Parse(text) ?? throw new FormatException($"\"{text}\" is no range of addresses.");

    /// <summary>Everything that a range which cannot be read may have meant: all addresses of its family, or of both.</summary>
    public static IEnumerable<AddressRange> Widest(string? unreadable)
    {
        var isIPv6 = unreadable?.Contains(':', StringComparison.Ordinal) == true;
        var isIPv4 = unreadable?.Contains('.', StringComparison.Ordinal) == true && !isIPv6;
        return [.. isIPv6 ? [] : new[] { Of("0.0.0.0/0") }, .. isIPv4 ? [] : new[] { Of("::/0") }];
    }

    /// <summary>Whether an address is in the range; one of the other family never is.</summary>
    public bool Contains(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        if (bytes.Length != _network.Length)
        {
            return false;
        }

        var whole = _prefix / 8;
        var rest = _prefix % 8;
        return bytes.AsSpan(0, whole).SequenceEqual(_network.AsSpan(0, whole))
            && (rest == 0 || (bytes[whole] ^ _network[whole]) >> (8 - rest) == 0);
    }

    /// <inheritdoc />
    public override string ToString() => $"{new IPAddress(_network)}/{_prefix}";
}
