using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>Where a tenant's proxies may connect to, by its effective settings and the management cluster's own ranges.</summary>
internal sealed class ProxyEgress(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    ManagementRanges ranges,
    ManagerOptions options
)
{
    private readonly IInformer<Config> _configs = management.Informer<Config>();

    /// <summary>The egress rules of a tenant.</summary>
    public IList<V1NetworkPolicyEgressRule> Of(Tenant tenant, int xdsPort)
    {
        var policy = settings.PolicyOf(TenantNames.Namespace(tenant.Name));
        return ProxyNetworkPolicy.Egress(
            tenant.Spec?.Addresses,
            _configs.Get(options.Namespace, Config.DefaultName)?.Spec?.Addresses,
            ranges.DeniedBy(policy),
            policy.NodePorts,
            options.Namespace,
            xdsPort
        );
    }
}
