using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Keeps the configuration of each tenant's proxies, on every replica from its own cache: losing the leader never cuts configuration.
/// </summary>
internal sealed class ConfigurationReconciler(ProxyConfigurations configurations) : IReconciler
{
    /// <summary>Key for what holds for all ports of a tenant: its nodes, and limits.</summary>
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
