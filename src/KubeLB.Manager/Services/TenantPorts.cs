using k8s.Models;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Services;

/// <summary>
/// The port allocations of one tenant's proxies. An allocated port is reserved until it is observed in its Service; if the Service does not
/// have it when the reservation ends, it is freed. The proxies' own ports are never allocated. Not thread-safe.
/// </summary>
internal sealed class TenantPorts(int first = TenantPorts.First, int last = TenantPorts.Last)
{
    /// <summary>First port of the default range.</summary>
    public const int First = 10000;

    /// <summary>Last port of the default range.</summary>
    public const int Last = 65535;

    private readonly int _reserved = ProxyPorts.ReservedWithin(first, last);
    private readonly Dictionary<string, Dictionary<PortNeed, Allocation>> _byService = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PortNeed> _holders = [];

    /// <summary>Number of ports probed so far in search of a free one.</summary>
    public long Probes { get; private set; }

    /// <summary>Number of ports in use.</summary>
    public int Count => _holders.Count;

    private int Free => last - first + 1 - _reserved - _holders.Count;

    /// <summary>
    /// Adopts the ports of a Service, and frees those that it no longer has, except reserved ones. A port of another Service is not
    /// adopted.
    /// </summary>
    /// <param name="name">Name of the Service.</param>
    /// <param name="service">The Service; null if it was deleted.</param>
    /// <param name="endReservation">Whether to end the reservations of this Service.</param>
    public void Refresh(string name, V1Service? service, bool endReservation = false)
    {
        var stated = PortsIn(name, service);
        foreach (var (need, port) in stated)
        {
            if (Find(need) is { } allocation)
            {
                // A manual edit may have changed the port in the Service; the reconcile reverts it.
                allocation.IsReserved = false;
            }
            else if (port is { } number && _holders.TryAdd(number, need))
            {
                Add(need, number, isReserved: false);
            }
        }

        if (_byService.TryGetValue(name, out var known))
        {
            foreach (
                var (need, allocation) in known.Where(k => !stated.ContainsKey(k.Key) && (endReservation || !k.Value.IsReserved)).ToList()
            )
            {
                _holders.Remove(allocation.Port);
                known.Remove(need);
            }

            if (known.Count == 0)
            {
                _byService.Remove(name);
            }
        }
    }

    /// <summary>The port for a Service port, reserved if it is new; repeated calls return the same port.</summary>
    /// <exception cref="PortsExhaustedException">All ports are in use.</exception>
    public int Allocate(PortNeed need)
    {
        if (Find(need) is { } allocation)
        {
            return allocation.Port;
        }

        if (Free <= 0)
        {
            throw new PortsExhaustedException(first, last);
        }

        // The search starts at a hash of the Service port, so that a lost allocation most likely gets the same port again.
        var port = first + (int)(StableHash(need) % (last - first + 1));
        for (Probes++; ProxyPorts.IsReserved(port) || !_holders.TryAdd(port, need); Probes++)
        {
            port = port == last ? first : port + 1;
        }

        Add(need, port, isReserved: true);
        return port;
    }

    private Dictionary<PortNeed, int?> PortsIn(string name, V1Service? service)
    {
        var stated = new Dictionary<PortNeed, int?>();
        foreach (var port in service?.Spec?.Ports ?? [])
        {
            stated.TryAdd(
                new PortNeed(name, port.Port, port.Protocol ?? "TCP"),
                int.TryParse(port.TargetPort?.Value, out var number) && number >= first && number <= last && !ProxyPorts.IsReserved(number)
                    ? number
                    : null
            );
        }

        return stated;
    }

    private Allocation? Find(PortNeed need) =>
        _byService.TryGetValue(need.Service, out var ports) && ports.TryGetValue(need, out var allocation) ? allocation : null;

    private void Add(PortNeed need, int port, bool isReserved)
    {
        if (!_byService.TryGetValue(need.Service, out var ports))
        {
            _byService[need.Service] = ports = [];
        }

        ports[need] = new Allocation(port) { IsReserved = isReserved };
    }

    // FNV-1a: not cryptographic, and equal in every process.
    private static uint StableHash(PortNeed need) =>
        $"{need.Service}/{need.Port}/{need.Protocol}".Aggregate(2166136261, (hash, c) => (hash ^ c) * 16777619);

    private sealed class Allocation(int port)
    {
        public int Port => port;

        public bool IsReserved { get; set; }
    }
}
