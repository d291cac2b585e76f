using k8s.Models;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Services;
using KubeLB.Runtime.Storing;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// Which tenants need proxies: those with a generated Service, which nothing else answers for. It follows the Services, so that asking costs
/// the same however many there are, and wakes a tenant with its first and last one only. For any thread.
/// </summary>
internal sealed class ProxyDemand
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<string>> _services = new(StringComparer.Ordinal);

    /// <summary>The namespaces of the tenants that need proxies.</summary>
    public IReadOnlyList<string> Tenants
    {
        get
        {
            lock (_gate)
            {
                return [.. _services.Keys];
            }
        }
    }

    /// <summary>Whether a tenant needs proxies.</summary>
    public bool Of(string tenantNamespace)
    {
        lock (_gate)
        {
            return _services.ContainsKey(tenantNamespace);
        }
    }

    /// <summary>Takes note of a Service that came, went or changed hands.</summary>
    /// <returns>The tenant's key, if its answer turned by that.</returns>
    public IEnumerable<ResourceKey> Follow(Change<V1Service> change)
    {
        var key = change.Key;
        var isOurs = change.New is { } service && (Indexes.OwnerOf(service) is not null || OwnerlessServices.OriginOf(service) is not null);
        lock (_gate)
        {
            var names = _services.GetValueOrDefault(key.Namespace);
            if (isOurs)
            {
                if (names is null)
                {
                    _services[key.Namespace] = [key.Name];
                    return [WorkloadReconciler.KeyOf(key.Namespace)];
                }

                names.Add(key.Name);
            }
            else if (names?.Remove(key.Name) == true && names.Count == 0)
            {
                _services.Remove(key.Namespace);
                return [WorkloadReconciler.KeyOf(key.Namespace)];
            }

            return [];
        }
    }
}
