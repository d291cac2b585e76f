using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>The settings in force for a tenant: Tenant over Config over default.</summary>
internal sealed class TenantSettingsResolver([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
{
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Config> _configs = management.Informer<Config>();

    /// <summary>The Tenant that owns a namespace; null if there is none.</summary>
    public Tenant? TenantOf(string tenantNamespace) => _tenants.HolderOf(tenantNamespace);

    /// <summary>GatewayClass of the tenant's generated Gateways.</summary>
    public string GatewayClass(string tenantNamespace) =>
        NonEmpty(TenantOf(tenantNamespace)?.Spec?.GatewayAPI?.Class)
        ?? NonEmpty(_configs.Get(options.Namespace, Config.DefaultName)?.Spec?.GatewayAPI?.Class)
        ?? GatewayApiSettings.DefaultClass;

    /// <summary>Whether Gateway API is switched off for the tenant.</summary>
    public bool IsGatewayApiDisabled(string tenantNamespace) =>
        TenantOf(tenantNamespace)?.Spec?.GatewayAPI?.Disable ?? _configs.Get(options.Namespace, Config.DefaultName)?.Spec?.GatewayAPI?.Disable ?? false;

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
