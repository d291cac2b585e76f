using k8s.Models;
using KubeLB.Translation.Services;

namespace KubeLB.Manager.Services;

/// <summary>The ports of one tenant's proxy: which Service port has which.</summary>
internal sealed class TenantPorts
{
    /// <summary>First port that is given.</summary>
    public const int First = 10000;

    /// <summary>Last port that is given.</summary>
    public const int Last = 65535;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<PortNeed, int>> _byService = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PortNeed> _holders = [];

    /// <summary>Takes over what a Service says. A port that another one holds is not taken from it.</summary>
    public void Record(V1Service service)
    {
        lock (_gate)
        {
            foreach (var port in service.Spec?.Ports ?? [])
            {
                var need = new PortNeed(service.Name(), port.Port, port.Protocol ?? "TCP");
                if (!Known(need.Service).ContainsKey(need)
                    && int.TryParse(port.TargetPort?.Value, out var number) && number is >= First and <= Last
                    && _holders.TryAdd(number, need))
                {
                    Known(need.Service)[need] = number;
                }
            }
        }
    }

    /// <summary>Gives back the ports of a Service that is gone.</summary>
    public void Release(string service)
    {
        lock (_gate)
        {
            if (_byService.Remove(service, out var ports))
            {
                foreach (var port in ports.Values)
                {
                    _holders.Remove(port);
                }
            }
        }
    }

    /// <summary>The port for a need.</summary>
    /// <exception cref="PortsExhaustedException">All are taken.</exception>
    public int Allocate(PortNeed need)
    {
        lock (_gate)
        {
            if (Known(need.Service).TryGetValue(need, out var known))
            {
                return known;
            }

            const int Count = Last - First + 1;
            if (_holders.Count >= Count)
            {
                throw new PortsExhaustedException();
            }

            // From a place that depends on the need alone: a port that was lost is most likely found again.
            var port = First + (int)(StableHash(need) % Count);
            while (!_holders.TryAdd(port, need))
            {
                port = port == Last ? First : port + 1;
            }

            Known(need.Service)[need] = port;
            return port;
        }
    }

    private Dictionary<PortNeed, int> Known(string service)
    {
        if (!_byService.TryGetValue(service, out var ports))
        {
            _byService[service] = ports = [];
        }

        return ports;
    }

    // FNV-1a: not for secrets, and the same in every process.
    private static uint StableHash(PortNeed need) =>
        $"{need.Service}/{need.Port}/{need.Protocol}".Aggregate(2166136261, (hash, c) => (hash ^ c) * 16777619);
}
