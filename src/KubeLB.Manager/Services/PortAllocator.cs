using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Manager.Caching;
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
    private readonly IDisposable _subscription;

    public PortAllocator([FromKeyedServices(ManagementCluster.Name)] Cluster management)
    {
        var services = management.Informer<V1Service>();
        _subscription = services.Subscribe(Follow);

        // The subscription may tell of what is stored a little later, on another thread; nothing is to be allocated before.
        foreach (var service in services.List())
        {
            Follow(new Change<V1Service>(null, service));
        }
    }

    /// <summary>The port for a need; the same one whenever it is asked again.</summary>
    /// <exception cref="PortsExhaustedException">All ports of the tenant's proxy are taken.</exception>
    public int Allocate(string tenantNamespace, PortNeed need) => Of(tenantNamespace).Allocate(need);

    public void Dispose() => _subscription.Dispose();

    private void Follow(Change<V1Service> change)
    {
        var ports = Of(change.Key.Namespace);
        if (change.New is { } service && (Indexes.OwnerOf(service) is not null || OwnerlessServices.OriginOf(service) is not null))
        {
            ports.Record(service);
        }
        else
        {
            ports.Release(change.Key.Name);
        }
    }

    private TenantPorts Of(string tenantNamespace) => _tenants.GetOrAdd(tenantNamespace, static _ => new TenantPorts());
}
