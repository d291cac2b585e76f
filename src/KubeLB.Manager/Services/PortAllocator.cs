using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.EnvoyGateway;
using Microsoft.Extensions.DependencyInjection;
using k8s.Models;

namespace KubeLB.Manager.Services;

/// <summary>
/// Gives each port of a generated Service a port of its tenant's proxy. The memory is the generated Services, which tenants
/// cannot write: a port that is in one stays, after a restart and on another replica alike. From the first Route that is looked at, which
/// only the leader does, this follows them through the cache, so that an allocation costs the same however many there are, and bridges the
/// time until a Service is written. A replica that does not lead remembers nothing, and so nothing that the leader changed since.
/// </summary>
internal sealed class PortAllocator([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options) : IDisposable
{
    private readonly Dictionary<string, TenantPorts> _tenants = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly Lock _starting = new();
    private volatile IDisposable? _following;

    /// <summary>How many tenants have ports.</summary>
    public int Tenants
    {
        get
        {
            lock (_gate)
            {
                return _tenants.Count;
            }
        }
    }

    /// <summary>Begins to ask for the ports of a Route; end it when what was asked for is written, or is not going to be.</summary>
    public PortReservation Begin(ResourceKey route)
    {
        Follow();
        return new PortReservation(this, route.Namespace);
    }

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    internal int Allocate(string tenantNamespace, PortNeed need)
    {
        lock (_gate)
        {
            return Of(tenantNamespace).Allocate(need);
        }
    }

    internal void EndReservation(string tenantNamespace, string service) =>
        Refresh(new ResourceKey(tenantNamespace, service), endReservation: true);

    public void Dispose() => _following?.Dispose();

    private void Follow()
    {
        if (_following is not null)
        {
            return;
        }

        lock (_starting)
        {
            if (_following is not null)
            {
                return;
            }

            var subscription = _services.Subscribe(change => Refresh(change.Key));

            // The subscription may tell of what is stored a little later, on another thread; nothing is to be allocated before. Of two
            // Services on one port the first by name has it, as in the proxies.
            foreach (var key in _services.List().Select(s => ResourceKey.Of(s)).OrderBy(k => k.Name, StringComparer.Ordinal))
            {
                Refresh(key);
            }

            _following = subscription;
        }
    }

    // Read while nothing else changes here, so that no older state comes after a newer one.
    private void Refresh(ResourceKey key, bool endReservation = false)
    {
        lock (_gate)
        {
            var ports = Of(key.Namespace);
            var service = _services.Get(key) is { } found && (Indexes.OwnerOf(found) is not null || Indexes.IsOrphan(found)) ? found : null;
            ports.Refresh(key.Name, service, endReservation);
            if (ports.Count == 0)
            {
                _tenants.Remove(key.Namespace);
            }
        }
    }

    private TenantPorts Of(string tenantNamespace)
    {
        if (!_tenants.TryGetValue(tenantNamespace, out var ports))
        {
            _tenants[tenantNamespace] = ports = new TenantPorts(options.ProxyPorts.First, options.ProxyPorts.Last);
        }

        return ports;
    }
}
