using System.Net;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// Addresses and ranges with the number of their sources. A lookup takes as many steps as there are different prefix lengths, regardless of
/// the number of ranges. Thread-safe.
/// </summary>
public sealed class AddressSet
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(bool IsIPv4, int Prefix), Dictionary<UInt128, int>> _ranges = [];

    /// <summary>Adds a range in CIDR notation, or one address.</summary>
    /// <returns>Whether the set contains a range that it did not contain before; false also for an invalid text.</returns>
    public bool Add(string? text)
    {
        if (AddressRange.Parse(text) is not { } range)
        {
            return false;
        }

        lock (_gate)
        {
            if (!_ranges.TryGetValue((range.IsIPv4, range.Prefix), out var networks))
            {
                _ranges[(range.IsIPv4, range.Prefix)] = networks = [];
            }

            var count = networks.GetValueOrDefault(range.Network);
            networks[range.Network] = count + 1;
            return count == 0;
        }
    }

    /// <summary>Removes one source of a range.</summary>
    /// <returns>Whether it was the last one, so that the set does not contain the range any more.</returns>
    public bool Remove(string? text)
    {
        if (AddressRange.Parse(text) is not { } range)
        {
            return false;
        }

        lock (_gate)
        {
            if (!_ranges.TryGetValue((range.IsIPv4, range.Prefix), out var networks) || !networks.TryGetValue(range.Network, out var count))
            {
                return false;
            }

            if (count > 1)
            {
                networks[range.Network] = count - 1;
                return false;
            }

            networks.Remove(range.Network);
            if (networks.Count == 0)
            {
                _ranges.Remove((range.IsIPv4, range.Prefix));
            }

            return true;
        }
    }

    /// <summary>Whether an address is in one of the ranges.</summary>
    public bool Contains(IPAddress address)
    {
        lock (_gate)
        {
            return _ranges.Any(ranges =>
                ranges.Key.IsIPv4 == AddressRange.IsIPv4Address(address)
                && ranges.Value.ContainsKey(AddressRange.NetworkOf(address, ranges.Key.Prefix))
            );
        }
    }

    /// <summary>The ranges in CIDR notation, in a stable order. Two halves of a range are one range.</summary>
    public IReadOnlyList<string> Ranges()
    {
        lock (_gate)
        {
            return
            [
                .. AddressRange
                    .Merge(
                        _ranges.SelectMany(ranges =>
                            ranges.Value.Keys.Select(n => new AddressRange(ranges.Key.IsIPv4, n, ranges.Key.Prefix))
                        )
                    )
                    .Select(range => range.ToString()),
            ];
        }
    }
}
