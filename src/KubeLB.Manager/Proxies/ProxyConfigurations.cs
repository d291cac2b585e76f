using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Services;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// What the proxies of all tenants have, from this replica's caches into its <see cref="ResourceCache"/>. The node id is the tenant's
/// namespace. A tenant's first appearance there is complete, so that a proxy that connects after a restart loses nothing for a moment.
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
    private readonly IInformer<Tenant> _tenantObjects = management.Informer<Tenant>();
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly ConcurrentDictionary<string, Entry> _tenants = new(StringComparer.Ordinal);

    /// <summary>A tenant exceeds its limit of endpoints in another way than before, or no longer; called with its namespace.</summary>
    public event Action<string>? ExcessChanged;

    /// <summary>What exceeds a tenant's limit of endpoints; null if nothing does.</summary>
    public EndpointExcess? ExcessOf(string tenantNamespace) => _tenants.GetValueOrDefault(tenantNamespace)?.Excess;

    /// <summary>Looks at one Route anew.</summary>
    public void RefreshRoute(ResourceKey key) => Change(key.Namespace, (configuration, change) => SetRoute(configuration, key, change));

    /// <summary>Looks at what holds for all of the tenant's ports anew: its nodes, and limits.</summary>
    public void RefreshTenant(string tenantNamespace) =>
        Change(tenantNamespace, (configuration, change) => SetTenant(tenantNamespace, configuration, change));

    /// <summary>Looks at all of the tenant's Routes anew.</summary>
    public void RefreshAll(string tenantNamespace) =>
        Change(tenantNamespace, (configuration, change) => SetAll(tenantNamespace, configuration, change));

    /// <summary>The resources of some ports as they are now; none of a port that is not served.</summary>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    /// <param name="ports">Names of ports.</param>
    public IReadOnlyList<XdsResourceVersion> ResourcesOf(string tenantNamespace, IEnumerable<string> ports)
    {
        if (!_tenants.TryGetValue(tenantNamespace, out var entry))
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

    private void Change(string tenantNamespace, Action<TenantConfiguration, ResourceTransaction> apply)
    {
        while (!TryChange(tenantNamespace, apply)) { }
    }

    private bool TryChange(string tenantNamespace, Action<TenantConfiguration, ResourceTransaction> apply)
    {
        var entry = _tenants.GetOrAdd(tenantNamespace, static (_, options) => new Entry(options), options);
        lock (entry)
        {
            if (entry.IsOver)
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
                            apply(entry.Configuration, change);
                            return;
                        }

                        Build(tenantNamespace, entry.Configuration, change);
                        entry.IsBuilt = true;
                    }
                );
            }
            catch
            {
                // It has changed, and nobody was told: the next one begins anew.
                End(tenantNamespace, entry);
                throw;
            }

            var holder = _tenantObjects.HolderOf(tenantNamespace)?.Metadata.Uid;
            if (entry.Configuration.Routes.Count == 0 && holder is null)
            {
                End(tenantNamespace, entry);
                resources.Remove(tenantNamespace);
            }

            if (entry.Holder is { } before && before != holder)
            {
                // Whoever is connected still was let in for another Tenant, and is asked for its certificate again.
                streams.End(tenantNamespace);
            }

            entry.Holder = holder;
            if (entry.Configuration.Excess is var excess && excess != entry.Excess)
            {
                entry.Excess = excess;
                ExcessChanged?.Invoke(tenantNamespace);
            }

            return true;
        }
    }

    private void End(string tenantNamespace, Entry entry)
    {
        entry.IsOver = true;
        _tenants.TryRemove(tenantNamespace, out _);
    }

    private void Build(string tenantNamespace, TenantConfiguration configuration, ResourceTransaction change)
    {
        foreach (var typeUrl in new[] { ResourceTypes.Listener, ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment })
        {
            foreach (var left in resources.List(tenantNamespace, typeUrl))
            {
                change.Remove(typeUrl, left.Name);
            }
        }

        SetTenant(tenantNamespace, configuration, change);
        SetAll(tenantNamespace, configuration, change);
    }

    private void SetTenant(string tenantNamespace, TenantConfiguration configuration, ResourceTransaction change)
    {
        configuration.SetNodes(endpoints.Of(tenantNamespace), change);
        configuration.SetLimits(settings.ProxiesOf(tenantNamespace).Headers, change);
    }

    private void SetAll(string tenantNamespace, TenantConfiguration configuration, ResourceTransaction change)
    {
        var there = _routes.ByIndex(Indexes.ByNamespace, tenantNamespace).Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in there.Concat(configuration.Routes).Distinct().ToList())
        {
            SetRoute(configuration, new ResourceKey(tenantNamespace, name), change);
        }
    }

    private void SetRoute(TenantConfiguration configuration, ResourceKey key, ResourceTransaction change) =>
        configuration.SetRoute(
            key.Name,
            _routes.Get(key) is { } route
                ? RoutePorts.Of(route, _services.ByIndex(Indexes.ByOwner, route.Metadata.Uid).Concat(LegacyServices.Of(route, _services)))
                : [],
            change
        );

    private sealed class Entry(ManagerOptions options)
    {
        public TenantConfiguration Configuration { get; } = new(options.XdsInsecure, options.EndpointBytes);

        public bool IsBuilt { get; set; }

        public bool IsOver { get; set; }

        /// <summary>What exceeds the limit of endpoints.</summary>
        public volatile EndpointExcess? Excess;

        /// <summary>Uid of the Tenant that has the namespace; null if none.</summary>
        public string? Holder { get; set; }
    }
}
