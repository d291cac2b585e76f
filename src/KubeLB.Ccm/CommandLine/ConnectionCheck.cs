using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.CommandLine;

/// <summary>
/// What <c>kubelb-ccm check</c> looks at: both API servers, the GatewayClass, the manager, and whether the CCM of this cluster has reported
/// to the management cluster. It reads with the rights of the CCM and changes nothing.
/// </summary>
internal static class ConnectionCheck
{
    // It reports every five minutes.
    private static readonly TimeSpan NotSeenAfter = TimeSpan.FromMinutes(15);

    public static async Task<IReadOnlyList<Finding>> LookAsync(CcmOptions options, CcmConnections connections, CancellationToken cancellationToken)
    {
        using var host = CcmHost.Build(options with { MetricsAddress = "", HealthProbeBindAddress = "", EnableLeaderElection = false }, connections);
        var tenant = host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Tenant);
        var management = host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Management);
        var name = options.ClusterName.StartsWith(TenantNames.Prefix, StringComparison.Ordinal) ? options.ClusterName[TenantNames.Prefix.Length..] : options.ClusterName;
        var tenantNamespace = TenantNames.Namespace(options.ClusterName);

        var findings = new List<Finding> { await CheckCommand.ApiServerAsync("This cluster", tenant, cancellationToken).ConfigureAwait(false) };
        if (options.EnableGatewayApi && options.UseGatewayClass)
        {
            findings.Add(await CheckCommand.AskAsync("GatewayClass kubelb", cancel => GatewayClassAsync(tenant, cancel), cancellationToken).ConfigureAwait(false));
        }

        findings.Add(await CheckCommand.ApiServerAsync("Management cluster", management, cancellationToken).ConfigureAwait(false));
        findings.Add(await CheckCommand.AskAsync($"Tenant {name}", cancel => ManagerAsync(management, name, tenantNamespace, cancel), cancellationToken).ConfigureAwait(false));
        findings.Add(await CheckCommand.AskAsync("CCM", cancel => ReportAsync(tenant, management, tenantNamespace, options, cancel), cancellationToken).ConfigureAwait(false));
        return findings;
    }

    private static async Task<Finding> GatewayClassAsync(Cluster tenant, CancellationToken cancellationToken)
    {
        var found = await tenant.Client<GatewayClass>().GetAsync(new ResourceKey("", GatewayClass.KubelbName), cancellationToken).ConfigureAwait(false);
        return found switch
        {
            null => new Finding(false, "does not exist. Install the definitions of Gateway API, and the class (gatewayClass.create, or apply it yourself)."),
            { Spec.ControllerName: not GatewayClass.KubelbController } => new Finding(false,
                $"its controllerName is {found.Spec?.ControllerName}, not {GatewayClass.KubelbController}. Delete it and install the chart again."),
            _ when found.Status?.Conditions?.Any(c => c is { Type: GatewayConditions.Accepted, IsTrue: true }) == true => new Finding(true, "is accepted."),
            _ => new Finding(false, "is not accepted by the CCM. See the log of the CCM and its /readyz."),
        };
    }

    private static async Task<Finding> ManagerAsync(Cluster management, string tenant, string tenantNamespace, CancellationToken cancellationToken)
    {
        var state = await management.Client<TenantState>().GetAsync(new ResourceKey(tenantNamespace, TenantState.DefaultName), cancellationToken).ConfigureAwait(false);
        return state?.Status?.Version?.GitVersion is { } version
            ? new Finding(true, $"is registered, manager {version}.")
            : new Finding(false, $"the manager has not set it up. The administrator of the management cluster can run: kubectl describe tenant {tenant}.");
    }

    private static async Task<Finding> ReportAsync(
        Cluster tenant, Cluster management, string tenantNamespace, CcmOptions options, CancellationToken cancellationToken)
    {
        var addresses = await management.Client<Addresses>().GetAsync(new ResourceKey(tenantNamespace, Addresses.DefaultName), cancellationToken).ConfigureAwait(false);
        var here = (await tenant.GetMetadataAsync(ResourceKind.Of<V1Namespace>(), new ResourceKey("", ClusterBinding.IdentityNamespace), cancellationToken).ConfigureAwait(false))?.Uid;
        if (CcmAnnotations.ClusterUidOf(addresses) is not { } bound)
        {
            return new Finding(false, "it has not reported to the management cluster yet. See its log and /readyz.");
        }

        if (bound != here)
        {
            return new Finding(false, $"the tenant is bound to another cluster ({bound}), this one is {here}. Correct kubelb.tenantName or the kubeconfig, or bind the tenant to this cluster.");
        }

        if (CcmAnnotations.LastSeenOf(addresses) is { } seen && TimeProvider.System.GetUtcNow() - seen > NotSeenAfter)
        {
            return new Finding(false, $"it has not reported since {seen:u}. See kubectl get pods, and the log of the CCM.");
        }

        var count = addresses!.Spec?.Addresses?.Count ?? 0;
        var accepted = addresses.Status?.Conditions?.FirstOrDefault(c => c.Type == AddressesConditions.Accepted);
        return count == 0
            ? new Finding(false, $"it has reported, but no node of this cluster has an address of type {options.NodeAddressType} and is ready. Change kubelb.nodeAddressType.")
            : accepted is { Status: ConditionStatus.False }
                ? new Finding(false, $"the manager does not accept the addresses of the nodes: {accepted.Message}")
                : new Finding(true, $"{CcmAnnotations.CcmVersionOf(addresses) ?? "an unknown version"} has reported {count} node address(es) to the management cluster.");
    }
}
