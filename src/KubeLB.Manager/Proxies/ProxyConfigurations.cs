using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Services;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Builds the configuration of all tenants' proxies from this replica's caches and publishes it in the <see cref="ResourceCache"/>. The
/// node id is the tenant's namespace. The first configuration of a tenant is complete, so that a proxy that connects after a restart keeps
/// its resources.
/// </summary>
internal sealed class ProxyConfigurations(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantEndpoints endpoints,
    TenantSettingsResolver settings,
    ResourceCache resources,
    XdsStreams streams,
    ManagerOptions options
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Raised with a tenant's namespace when the excess over its limit of endpoints changes.</summary>
    public event Action<string>? ExcessChanged;

    /// <summary>How a tenant's limit of endpoints is exceeded; null if it is not.</summary>
    public EndpointExcess? ExcessOf(string tenantNamespace) => _entries.GetValueOrDefault(tenantNamespace)?.Excess;

    /// <summary>Updates the configuration for one Route.</summary>
    public void RefreshRoute(ResourceKey key) =>
        Change(key.Namespace, (entry, change) => SetRoute(entry, key, PermittedNodePorts(key.Namespace), change));

    /// <summary>Updates the configuration for the tenant's nodes, limits and permitted node ports.</summary>
    public void RefreshTenant(string tenantNamespace) =>
        Change(
            tenantNamespace,
            (entry, change) =>
            {
                SetTenant(tenantNamespace, entry, change);
                if (entry.NodePorts != $"{PermittedNodePorts(tenantNamespace)}")
                {
                    SetAll(tenantNamespace, entry, change);
                }
            }
        );

    /// <summary>Updates the configuration for all Routes of the tenant.</summary>
    public void RefreshAll(string tenantNamespace) => Change(tenantNamespace, (entry, change) => SetAll(tenantNamespace, entry, change));

    /// <summary>The current resources of ports; ports that are not served are skipped.</summary>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    /// <param name="ports">Names of ports.</param>
    public IReadOnlyList<XdsResourceVersion> ResourcesOf(string tenantNamespace, IEnumerable<string> ports)
    {
        if (!_entries.TryGetValue(tenantNamespace, out var entry))
        {
            return [];
        }

        lock (entry)
        {
            return
            [
                .. from resource in entry.Configuration.ResourcesOf(ports)
                let present = resources.Find(tenantNamespace, resource.TypeUrl, resource.Name)
                where present is not null
                select new XdsResourceVersion(resource.TypeUrl, resource.Name, present.Version),
            ];
        }
    }

    private void Change(string tenantNamespace, Action<Entry, ResourceTransaction> apply)
    {
        while (!TryChange(tenantNamespace, apply)) { }
    }

    private bool TryChange(string tenantNamespace, Action<Entry, ResourceTransaction> apply)
    {
        var entry = _entries.GetOrAdd(tenantNamespace, static (_, options) => new Entry(options), options);
        lock (entry)
        {
            if (entry.IsRemoved)
            {
                return false;
            }

            try
            {
                resources.Update(
                    tenantNamespace,
                    change =>
                    {
                        if (entry.IsBuilt)
                        {
                            apply(entry, change);
                            return;
                        }

                        Build(tenantNamespace, entry, change);
                        entry.IsBuilt = true;
                    }
                );
            }
            catch
            {
                // The entry may differ from the published resources, so the next change builds a new one.
                Remove(tenantNamespace, entry);
                throw;
            }

            var tenantUid = _tenants.HolderOf(tenantNamespace)?.Metadata.Uid;
            if (entry.Configuration.Routes.Count == 0 && tenantUid is null)
            {
                Remove(tenantNamespace, entry);
                resources.Remove(tenantNamespace);
            }

            if (entry.TenantUid is { } before && before != tenantUid)
            {
                // Connected clients were authorized for the deleted Tenant and must be authorized again.
                streams.End(tenantNamespace);
            }

            entry.TenantUid = tenantUid;
            if (entry.Configuration.Excess is var excess && excess != entry.Excess)
            {
                entry.Excess = excess;
                ExcessChanged?.Invoke(tenantNamespace);
            }

            return true;
        }
    }

    private void Remove(string tenantNamespace, Entry entry)
    {
        entry.IsRemoved = true;
        _entries.TryRemove(tenantNamespace, out _);
    }

    private void Build(string tenantNamespace, Entry entry, ResourceTransaction change)
    {
        foreach (var typeUrl in new[] { ResourceTypes.Listener, ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment })
        {
            foreach (var resource in resources.List(tenantNamespace, typeUrl))
            {
                change.Remove(typeUrl, resource.Name);
            }
        }

        SetTenant(tenantNamespace, entry, change);
        SetAll(tenantNamespace, entry, change);
    }

    private void SetTenant(string tenantNamespace, Entry entry, ResourceTransaction change)
    {
        entry.Configuration.SetNodes(endpoints.EndpointsOf(tenantNamespace), change);
        entry.Configuration.SetLimits(settings.ProxiesOf(tenantNamespace).Headers, change);
    }

    private void SetAll(string tenantNamespace, Entry entry, ResourceTransaction change)
    {
        var permitted = PermittedNodePorts(tenantNamespace);
        entry.NodePorts = $"{permitted}";
        var present = _routes.ByIndex(Indexes.ByNamespace, tenantNamespace).Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in present.Concat(entry.Configuration.Routes).Distinct().ToList())
        {
            SetRoute(entry, new ResourceKey(tenantNamespace, name), permitted, change);
        }
    }

    private void SetRoute(Entry entry, ResourceKey key, NodePortRanges permitted, ResourceTransaction change) =>
        entry.Configuration.SetRoute(
            key.Name,
            _routes.Get(key) is { } route
                ? RoutePorts.Of(
                    route,
                    _services.ByIndex(Indexes.ByOwner, route.Metadata.Uid).Concat(LegacyServices.Of(route, _services)),
                    permitted
                )
                : [],
            change
        );

    private NodePortRanges PermittedNodePorts(string tenantNamespace) => settings.PolicyOf(tenantNamespace).NodePorts;

    private sealed class Entry(ManagerOptions options)
    {
        public TenantConfiguration Configuration { get; } = new(options.XdsInsecure, options.EndpointBytes);

        public bool IsBuilt { get; set; }

        public bool IsRemoved { get; set; }

        /// <summary>The permitted node ports with which the ports of all Routes were computed.</summary>
        public string? NodePorts { get; set; }

        /// <summary>How the limit of endpoints is exceeded.</summary>
        public volatile EndpointExcess? Excess;

        /// <summary>UID of the Tenant that owns the namespace; null if none does.</summary>
        public string? TenantUid { get; set; }
    }
}

/// <summary>
/// Updates the configuration of each tenant's proxies. Runs on every replica, so that a change of the leader does not affect proxies.
/// </summary>
internal sealed class ConfigurationReconciler(ProxyConfigurations configurations) : IReconciler
{
    /// <summary>Key for the nodes and limits of a tenant.</summary>
    public static ResourceKey TenantOf(string tenantNamespace) => new("", tenantNamespace);

    /// <summary>Key for all Routes of a tenant.</summary>
    public static ResourceKey AllOf(string tenantNamespace) => new(tenantNamespace, "");

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (key.Namespace.Length == 0)
        {
            configurations.RefreshTenant(key.Name);
        }
        else if (key.Name.Length == 0)
        {
            configurations.RefreshAll(key.Namespace);
        }
        else
        {
            configurations.RefreshRoute(key);
        }

        return Task.FromResult(ReconcileResult.Done);
    }
}
