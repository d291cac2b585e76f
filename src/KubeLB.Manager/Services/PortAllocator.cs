using k8s.Models;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.EnvoyGateway;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Services;

/// <summary>
/// Allocates a port of the tenant's proxies for each port of a generated Service. The allocations are stored in the generated Services,
/// which tenants cannot write, so that they survive a restart or a new leader. From its first reconcile, the leader tracks the Services in
/// the cache, so that an allocation takes constant time, and reserves ports until their Service is written. Other replicas store nothing.
/// </summary>
internal sealed class PortAllocator([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options) : IDisposable
{
    private readonly Dictionary<string, TenantPorts> _tenants = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly Lock _starting = new();
    private volatile IDisposable? _following;

    /// <summary>Number of tenants with allocated ports.</summary>
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

    /// <summary>Begins the allocation for one reconcile of a Route; dispose of the result after its Services were written.</summary>
    public PortReservation Begin(ResourceKey route)
    {
        Follow();
        return new PortReservation(this, route.Namespace);
    }

    /// <summary>The port for a Service port; repeated calls return the same port.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxies are in use.</exception>
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

            // The subscription reports existing Services later, on another thread, but they must be read before the first allocation. If
            // two Services have the same port, the first by name keeps it, as in the proxies.
            foreach (var key in _services.List().Select(s => ResourceKey.Of(s)).OrderBy(k => k.Name, StringComparer.Ordinal))
            {
                Refresh(key);
            }

            _following = subscription;
        }
    }

    // Reads the cache under the lock, so that an older state never replaces a newer one.
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

/// <summary>
/// The ports allocated during one reconcile of a Route. Disposing of it frees the ports that were not written to a Service, for example
/// because the route was rejected.
/// </summary>
internal sealed class PortReservation(PortAllocator allocator, string tenantNamespace) : IDisposable
{
    private readonly HashSet<string> _services = new(StringComparer.Ordinal);

    /// <summary>The port for a Service port; repeated calls return the same port.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxies are in use.</exception>
    public int Allocate(PortNeed need)
    {
        _services.Add(need.Service);
        return allocator.Allocate(tenantNamespace, need);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var service in _services)
        {
            allocator.EndReservation(tenantNamespace, service);
        }
    }
}

/// <summary>All ports of a tenant's proxies are in use.</summary>
internal sealed class PortsExhaustedException(int first, int last) : Exception(Messages.PortsExhausted(first, last));
