using System.Collections.Concurrent;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Resolves the effective settings of a tenant: the Tenant overrides the Config, which overrides the defaults. The policy is cached per
/// version of both objects.
/// </summary>
internal sealed class TenantSettingsResolver([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
{
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Config> _configs = management.Informer<Config>();
    private readonly ConcurrentDictionary<string, Resolved> _resolved = new(StringComparer.Ordinal);

    /// <summary>The Tenant that owns a namespace; null if none does.</summary>
    public Tenant? TenantOf(string tenantNamespace) => _tenants.HolderOf(tenantNamespace);

    /// <summary>The effective policy for a tenant's namespace.</summary>
    public TenantPolicy PolicyOf(string tenantNamespace)
    {
        var (config, tenant) = (_configs.Get(options.Namespace, Config.DefaultName), TenantOf(tenantNamespace));
        if (tenant is null)
        {
            _resolved.TryRemove(tenantNamespace, out _);
            return TenantPolicy.Merge(config, tenant: null);
        }

        // Cached objects are immutable.
        if (
            _resolved.TryGetValue(tenantNamespace, out var known)
            && ReferenceEquals(known.Config, config)
            && ReferenceEquals(known.Tenant, tenant)
        )
        {
            return known.Policy;
        }

        var policy = TenantPolicy.Merge(config, tenant, VersionedDefaults.Of(tenant));
        _resolved[tenantNamespace] = new Resolved(config, tenant, policy);
        return policy;
    }

    /// <summary>The effective proxy settings for a tenant's namespace.</summary>
    public ProxySettings ProxiesOf(string tenantNamespace) =>
        ProxySettings.Merge(_configs.Get(options.Namespace, Config.DefaultName), TenantOf(tenantNamespace));

    private sealed record Resolved(Config? Config, Tenant Tenant, TenantPolicy Policy);
}
