using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// Which tenants need proxies: those with a generated Service, which nothing else answers for. An answer costs the same however many there
/// are.
/// </summary>
internal sealed class ProxyDemand([FromKeyedServices(ManagementCluster.Name)] Cluster management)
{
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();

    /// <summary>Whether a tenant needs proxies.</summary>
    public bool Of(string tenantNamespace) => _services.CountByIndex(Indexes.ByProxy, tenantNamespace) > 0;

    /// <summary>
    /// The tenant's key if a Service that came, went or changed hands may turn the answer: proxies that it needs are not there, or those
    /// that are there are no longer needed. Proxies that go just then bring the key back themselves.
    /// </summary>
    public IEnumerable<ResourceKey> TurnedBy(Change<V1Service> change) =>
        change.Both().SelectMany(Indexes.Proxy).Any() && Of(change.Key.Namespace) != HasProxies(change.Key.Namespace)
            ? [WorkloadReconciler.KeyOf(change.Key.Namespace)]
            : [];

    private bool HasProxies(string tenantNamespace)
    {
        var name = TenantNames.Proxy(tenantNamespace);
        return _deployments.Get(tenantNamespace, name) is not null || _daemonSets.Get(tenantNamespace, name) is not null;
    }
}
