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
/// cannot write: a port that is in one stays, after a restart and on another replica alike. This follows them through the
/// cache, so that an allocation costs the same however many there are, and bridges the time until a Service is written.
/// </summary>
internal sealed class PortAllocator : IDisposable
{
    private readonly ConcurrentDictionary<string, TenantPorts> _tenants = new(StringComparer.Ordinal);
    private readonly IInformer<V1Service> _services;
    private readonly (int First, int Last) _range;
    private readonly IDisposable _subscription;

    public PortAllocator([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
    {
        _range = options.ProxyPorts;
        _services = management.Informer<V1Service>();
        _subscription = _services.Subscribe(change => Refresh(change.Key));

        // The subscription may tell of what is stored a little later, on another thread; nothing is to be allocated before.
        foreach (var service in _services.List())
        {
            Refresh(ResourceKey.Of(service));
        }
    }

    /// <summary>Begins to ask for the ports of a Route; end it when what was asked for is written, or is not going to be.</summary>
    public PortLoan Begin(ResourceKey route) => new(this, route);

    /// <summary>
    /// The Routes that a Service that went, or has fewer ports, leaves room for. What comes back from a loan wakes nobody: two Routes that
    /// both need more than there is would wake each other without end.
    /// </summary>
    public IEnumerable<ResourceKey> RoutesWithRoom(Change<V1Service> change)
    {
        Refresh(change.Key);
        return Of(change.Key.Namespace).TakeWaiting().Select(route => new ResourceKey(change.Key.Namespace, route));
    }

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    internal int Allocate(ResourceKey route, PortNeed need) => Of(route.Namespace).Allocate(need, route.Name);

    internal void StopWaiting(ResourceKey route) => Of(route.Namespace).StopWaiting(route.Name);

    internal void EndLoan(string tenantNamespace, string service) => Refresh(new ResourceKey(tenantNamespace, service), endLoan: true);

    public void Dispose() => _subscription.Dispose();

    private void Refresh(ResourceKey key, bool endLoan = false) => Of(key.Namespace).Refresh(
        key.Name,
        () => _services.Get(key) is { } service && (Indexes.OwnerOf(service) is not null || Indexes.IsOrphan(service)) ? service : null,
        endLoan);

    private TenantPorts Of(string tenantNamespace) =>
        _tenants.GetOrAdd(tenantNamespace, static (_, range) => new TenantPorts(range.First, range.Last), _range);
}
