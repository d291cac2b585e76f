using System.Net;
using System.Numerics;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Resources.Services;

/// <summary>Hands out cluster IPs and node ports, each to one Service at a time.</summary>
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
                $"'{serviceCidr}' is not an IPv4 network for Services; use one such as 10.96.0.0/16.",
                nameof(serviceCidr)
            );
        }
        if (firstPort < 1 || lastPort > 65535 || firstPort > lastPort)
        {
            throw new ArgumentException($"{firstPort}-{lastPort} is not a range of ports; use one such as 30000-32767.", nameof(firstPort));
        }
        FirstPort = firstPort;
        LastPort = lastPort;
        _size = (uint)(1L << (32 - _network.PrefixLength));
    }

    public int FirstPort { get; }

    public int LastPort { get; }

    /// <summary>The first address, which is that of the <c>kubernetes</c> Service.</summary>
    public string First => Address(1);

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

    /// <summary>A free address, or null when all are taken.</summary>
    public string? TakeAddress()
    {
        lock (_lock)
        {
            // The lowest addresses are left to those who ask for one by name.
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

    /// <summary>A free node port, or null when all are taken.</summary>
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

    /// <summary>Takes what the Services of a table hold; what others hold stays taken.</summary>
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
