using System.Net;
using System.Numerics;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Allocates cluster IPs and node ports of Services.</summary>
internal sealed class ServiceAddresses
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _addresses = new(StringComparer.Ordinal);
    private readonly HashSet<long> _ports = [];
    private readonly IPNetwork _network;
    private readonly uint _size;

    public ServiceAddresses(string serviceCidr, int firstPort, int lastPort)
    {
        if (
            !IPNetwork.TryParse(serviceCidr, out _network)
            || _network.BaseAddress.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork
            || _network.PrefixLength > 30
        )
        {
            throw new ArgumentException(
                $"Invalid Service network '{serviceCidr}'; use an IPv4 network such as 10.96.0.0/16.",
                nameof(serviceCidr)
            );
        }
        if (firstPort < 1 || lastPort > 65535 || firstPort > lastPort)
        {
            throw new ArgumentException(
                $"Invalid node port range {firstPort}-{lastPort}; use a range such as 30000-32767.",
                nameof(firstPort)
            );
        }
        FirstPort = firstPort;
        LastPort = lastPort;
        _size = (uint)(1L << (32 - _network.PrefixLength));
    }

    public int FirstPort { get; }

    public int LastPort { get; }

    /// <summary>The first address, which belongs to the <c>kubernetes</c> Service.</summary>
    public string First => Address(1);

    /// <summary>The range of cluster IPs in CIDR notation.</summary>
    public string Network => _network.ToString();

    public bool Contains(string address) =>
        IPAddress.TryParse(address, out var parsed)
        && parsed.AddressFamily == _network.BaseAddress.AddressFamily
        && _network.Contains(parsed);

    public bool TryTakeAddress(string address)
    {
        lock (_lock)
        {
            return _addresses.Add(address);
        }
    }

    /// <summary>Allocates a free address; null if all are in use.</summary>
    public string? TakeAddress()
    {
        lock (_lock)
        {
            // The lowest addresses are for static allocation.
            var reserved = Math.Min(256u, _size / 16) + 2;
            var usable = _size - reserved - 1;
            var start = (uint)Random.Shared.NextInt64(usable);
            for (uint i = 0; i < usable; i++)
            {
                var address = Address(reserved + ((start + i) % usable));
                if (_addresses.Add(address))
                {
                    return address;
                }
            }
            return null;
        }
    }

    public bool TryTakePort(long port)
    {
        lock (_lock)
        {
            return _ports.Add(port);
        }
    }

    /// <summary>Allocates a free node port; null if all are in use.</summary>
    public long? TakePort()
    {
        lock (_lock)
        {
            var count = LastPort - FirstPort + 1;
            var start = Random.Shared.Next(count);
            for (var i = 0; i < count; i++)
            {
                var port = FirstPort + ((start + i) % count);
                if (_ports.Add(port))
                {
                    return port;
                }
            }
            return null;
        }
    }

    /// <summary>Allocates the addresses and ports of all Services of a table, in addition to the current allocations.</summary>
    public void Take(ResourceTable services)
    {
        foreach (var service in services.Current.Values.SelectMany(objects => objects.Values))
        {
            var spec = service.ToTree().Object("spec");
            lock (_lock)
            {
                _addresses.UnionWith(ServiceReservation.AddressesOf(spec));
                _ports.UnionWith(ServiceReservation.PortsOf(spec));
            }
        }
    }

    public void Free(IEnumerable<string> addresses, IEnumerable<long> ports)
    {
        lock (_lock)
        {
            _addresses.ExceptWith(addresses);
            _ports.ExceptWith(ports);
        }
    }

    private string Address(uint offset)
    {
        var bytes = _network.BaseAddress.GetAddressBytes();
        var value = new BigInteger(bytes, isUnsigned: true, isBigEndian: true) + offset;
        return new IPAddress(value.ToByteArray(isUnsigned: true, isBigEndian: true).AsSpan().ToArray()).ToString();
    }
}

/// <summary>Releases the addresses and node ports of Services when the change is committed.</summary>
internal static class ServiceAddressReleaser
{
    public static void Follow(ClusterStore store, ServiceAddresses addresses)
    {
        var services = store.Table("", "services");
        store.Follow(change =>
        {
            if (change.Table != services || change.Event.Previous is not { } previous)
            {
                return;
            }
            var before = previous.ToTree().Object("spec");
            var after = change.Event.Type == ChangeType.Deleted ? null : change.Event.Object.ToTree().Object("spec");
            addresses.Free(
                ServiceReservation.AddressesOf(before).Except(ServiceReservation.AddressesOf(after)),
                ServiceReservation.PortsOf(before).Except(ServiceReservation.PortsOf(after))
            );
        });
    }
}
