using System.Collections.Immutable;
using System.Net;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// Addresses and ranges with the number of their sources. Immutable. A lookup takes as many steps as there are different prefix lengths,
/// regardless of the number of ranges.
/// </summary>
public sealed class AddressSet
{
    private readonly ImmutableDictionary<(bool IsIPv4, int Prefix), ImmutableDictionary<UInt128, int>> _ranges;

    private AddressSet(ImmutableDictionary<(bool IsIPv4, int Prefix), ImmutableDictionary<UInt128, int>> ranges) => _ranges = ranges;

    /// <summary>No address.</summary>
    public static AddressSet Empty { get; } = new(ImmutableDictionary<(bool IsIPv4, int Prefix), ImmutableDictionary<UInt128, int>>.Empty);

    /// <summary>With one more source of a range in CIDR notation, or of one address. An invalid text adds nothing.</summary>
    public AddressSet Add(string? text) => AddressRange.Parse(text) is { } range ? WithCount(range, CountOf(range) + 1) : this;

    /// <summary>Without one source of a range. An invalid text, or one that is not in the set, removes nothing.</summary>
    public AddressSet Remove(string? text) =>
        AddressRange.Parse(text) is { } range && CountOf(range) is > 0 and var count ? WithCount(range, count - 1) : this;

    /// <summary>Whether the range has a source. Other ranges that contain it are not looked at.</summary>
    public bool ContainsRange(string? text) => AddressRange.Parse(text) is { } range && CountOf(range) > 0;

    /// <summary>Whether an address is in one of the ranges.</summary>
    public bool Contains(IPAddress address) =>
        _ranges.Any(ranges =>
            ranges.Key.IsIPv4 == AddressRange.IsIPv4Address(address)
            && ranges.Value.ContainsKey(AddressRange.NetworkOf(address, ranges.Key.Prefix))
        );

    /// <summary>Whether an address in the usual notation, or the IPv4 address that it embeds, is in one of the ranges.</summary>
    public bool ContainsAny(string? text) =>
        AddressText.Parse(text) is { } address
        && (Contains(address) || (AddressText.Embedded(address) is { } embedded && Contains(embedded)));

    /// <summary>The ranges in CIDR notation, in a stable order. Two halves of a range are one range.</summary>
    public IReadOnlyList<string> Ranges() =>
        [
            .. AddressRange
                .Merge(
                    _ranges.SelectMany(ranges => ranges.Value.Keys.Select(n => new AddressRange(ranges.Key.IsIPv4, n, ranges.Key.Prefix)))
                )
                .Select(range => range.ToString()),
        ];

    private int CountOf(AddressRange range) =>
        _ranges.TryGetValue((range.IsIPv4, range.Prefix), out var networks) ? networks.GetValueOrDefault(range.Network) : 0;

    private AddressSet WithCount(AddressRange range, int count)
    {
        var key = (range.IsIPv4, range.Prefix);
        var networks = _ranges.GetValueOrDefault(key, ImmutableDictionary<UInt128, int>.Empty);
        networks = count == 0 ? networks.Remove(range.Network) : networks.SetItem(range.Network, count);
        return new AddressSet(networks.IsEmpty ? _ranges.Remove(key) : _ranges.SetItem(key, networks));
    }
}
