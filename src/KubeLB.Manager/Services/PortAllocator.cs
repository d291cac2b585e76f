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

    /// <summary>Begins to ask for ports; end it when what was asked for is written, or is not going to be.</summary>
    public PortLoan Begin(string tenantNamespace) => new(this, tenantNamespace);

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    internal int Allocate(string tenantNamespace, PortNeed need) => Of(tenantNamespace).Allocate(need);

    internal void EndLoan(string tenantNamespace, string service) => Refresh(new ResourceKey(tenantNamespace, service), endLoan: true);

    public void Dispose() => _subscription.Dispose();

    private void Refresh(ResourceKey key, bool endLoan = false) => Of(key.Namespace).Refresh(
        key.Name,
        () => _services.Get(key) is { } service && (Indexes.OwnerOf(service) is not null || Indexes.IsOrphan(service)) ? service : null,
        endLoan);

    private TenantPorts Of(string tenantNamespace) =>
        _tenants.GetOrAdd(tenantNamespace, static (_, range) => new TenantPorts(range.First, range.Last), _range);
}
