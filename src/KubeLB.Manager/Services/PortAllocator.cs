using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Services;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Services;

/// <summary>
/// Gives each port of a generated Service a port of its tenant's proxy. The memory is the generated Services, which tenants
/// cannot write: a port that is in one stays, after a restart and on another replica alike. From the first Route that is looked at, which only
/// the leader does, this follows them through the cache, so that an allocation costs the same however many there are, and bridges the
/// time until a Service is written. A replica that does not lead remembers nothing, and so nothing that the leader changed since.
/// </summary>
internal sealed class PortAllocator([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options) : IDisposable
{
    private readonly ConcurrentDictionary<string, TenantPorts> _tenants = new(StringComparer.Ordinal);
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly Lock _starting = new();
    private volatile IDisposable? _following;

    /// <summary>Begins to ask for the ports of a Route; end it when what was asked for is written, or is not going to be.</summary>
    public PortLoan Begin(ResourceKey route)
    {
        Follow();
        return new PortLoan(this, route);
    }

    /// <summary>
    /// The Routes that a Service that went, or has fewer ports, leaves room for. What comes back from a loan wakes nobody: two Routes that
    /// both need more than there is would wake each other without end.
    /// </summary>
    public IEnumerable<ResourceKey> RoutesWithRoom(Change<V1Service> change)
    {
        if (_following is null)
        {
            return [];
        }

        Refresh(change.Key);
        return Of(change.Key.Namespace).TakeWaiting().Select(route => new ResourceKey(change.Key.Namespace, route));
    }

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    internal int Allocate(ResourceKey route, PortNeed need) => Of(route.Namespace).Allocate(need, route.Name);

    internal void StopWaiting(ResourceKey route) => Of(route.Namespace).StopWaiting(route.Name);

    internal void EndLoan(string tenantNamespace, string service) => Refresh(new ResourceKey(tenantNamespace, service), endLoan: true);

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

            // The subscription may tell of what is stored a little later, on another thread; nothing is to be allocated before. Of two Services
            // on one port the first by name has it, as in the proxies.
            foreach (var key in _services.List().Select(s => ResourceKey.Of(s)).OrderBy(k => k.Name, StringComparer.Ordinal))
            {
                Refresh(key);
            }

            _following = subscription;
        }
    }

    private void Refresh(ResourceKey key, bool endLoan = false) => Of(key.Namespace).Refresh(
        key.Name,
        () => _services.Get(key) is { } service && (Indexes.OwnerOf(service) is not null || Indexes.IsOrphan(service)) ? service : null,
        endLoan);

    private TenantPorts Of(string tenantNamespace) =>
        _tenants.GetOrAdd(tenantNamespace, static (_, range) => new TenantPorts(range.First, range.Last), options.ProxyPorts);
}
