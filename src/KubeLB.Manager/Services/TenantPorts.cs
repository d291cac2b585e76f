using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;
using k8s.Models;

namespace KubeLB.Manager.Services;

/// <summary>
/// The ports of one tenant's proxy: which Service port has which. A port that was given is reserved until it is seen in its Service;
/// what is not in the Service when the reservation ends is free again. The ports that the proxy listens on itself are never given. Not
/// thread-safe.
/// </summary>
internal sealed class TenantPorts(int first = TenantPorts.First, int last = TenantPorts.Last)
{
    /// <summary>First port that is given.</summary>
    public const int First = 10000;

    /// <summary>Last port that is given.</summary>
    public const int Last = 65535;

    private readonly int _reserved = ProxyPorts.ReservedWithin(first, last);
    private readonly Dictionary<string, Dictionary<PortNeed, Given>> _byService = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PortNeed> _holders = [];

    /// <summary>How many ports were looked at so far in search of a free one.</summary>
    public long Probes { get; private set; }

    /// <summary>How many ports are taken.</summary>
    public int Count => _holders.Count;

    private int Free => last - first + 1 - _reserved - _holders.Count;

    /// <summary>
    /// Adopts what the Service says, and frees what it no longer says but for what is reserved. A port that another one holds is not taken
    /// from it.
    /// </summary>
    /// <param name="name">Name of the Service.</param>
    /// <param name="service">The Service as it is now; null if it is gone.</param>
    /// <param name="endReservation">Whether the reservations of this Service end.</param>
    public void Refresh(string name, V1Service? service, bool endReservation = false)
    {
        var stated = Stated(name, service);
        foreach (var (need, port) in stated)
        {
            if (Find(need) is { } given)
            {
                // A manual edit may have set another one, or none; it is going to be reverted.
                given.IsReserved = false;
            }
            else if (port is { } number && _holders.TryAdd(number, need))
            {
                Remember(need, number, isReserved: false);
            }
        }

        if (_byService.TryGetValue(name, out var known))
        {
            foreach (var (need, given) in known.Where(k => !stated.ContainsKey(k.Key) && (endReservation || !k.Value.IsReserved)).ToList())
            {
                _holders.Remove(given.Port);
                known.Remove(need);
            }

            if (known.Count == 0)
            {
                _byService.Remove(name);
            }
        }
    }

    /// <summary>The port for a need, reserved if it is new; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All are taken.</exception>
    public int Allocate(PortNeed need)
    {
        if (Find(need) is { } given)
        {
            return given.Port;
        }

        if (Free <= 0)
        {
            throw new PortsExhaustedException(first, last);
        }

        // From a place that depends on the need alone: a port that was lost is most likely found again.
        var port = first + (int)(StableHash(need) % (last - first + 1));
        for (Probes++; ProxyPorts.IsReserved(port) || !_holders.TryAdd(port, need); Probes++)
        {
            port = port == last ? first : port + 1;
        }

        Remember(need, port, isReserved: true);
        return port;
    }

    private Dictionary<PortNeed, int?> Stated(string name, V1Service? service)
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

    private Given? Find(PortNeed need) =>
        _byService.TryGetValue(need.Service, out var ports) && ports.TryGetValue(need, out var given) ? given : null;

    private void Remember(PortNeed need, int port, bool isReserved)
    {
        if (!_byService.TryGetValue(need.Service, out var ports))
        {
            _byService[need.Service] = ports = [];
        }

        ports[need] = new Given(port) { IsReserved = isReserved };
    }

    // FNV-1a: not for secrets, and the same in every process.
    private static uint StableHash(PortNeed need) =>
        $"{need.Service}/{need.Port}/{need.Protocol}".Aggregate(2166136261, (hash, c) => (hash ^ c) * 16777619);

    private sealed class Given(int port)
    {
        public int Port => port;

        public bool IsReserved { get; set; }
    }
}
