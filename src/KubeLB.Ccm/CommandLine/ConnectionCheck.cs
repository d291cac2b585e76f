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
/// What <c>kubelb-ccm check</c> checks: both API servers, the GatewayClass, the manager, and whether the CCM of this cluster has reported
/// to the management cluster. It reads with the rights of the CCM and changes nothing.
/// </summary>
internal static class ConnectionCheck
{
    // It reports every five minutes.
    private static readonly TimeSpan NotSeenAfter = TimeSpan.FromMinutes(15);

    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        CcmOptions options,
        CcmConnections connections,
        CancellationToken cancellationToken
    )
    {
        using var host = CcmHost.Build(
            options with
            {
                MetricsAddress = "",
                HealthProbeBindAddress = "",
                EnableLeaderElection = false,
            },
            connections
        );
        var tenant = host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Tenant);
        var management = host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Management);
        var tenantNamespace = TenantNames.Namespace(options.ClusterName);
        var name = TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace;

        var findings = new List<Finding>
        {
            await CheckCommand.ApiServerAsync("This cluster", tenant, cancellationToken).ConfigureAwait(false),
        };
        if (options.EnableGatewayApi && options.UseGatewayClass)
        {
            await AddAsync("GatewayClass kubelb", cancel => GatewayClassAsync(tenant, cancel)).ConfigureAwait(false);
        }

        if (options.EnableLeaderElection)
        {
            var lease = CcmHost.LeaderElection(options);
            await AddAsync("Leader", cancel => CheckCommand.LeaseAsync(tenant, lease, cancel)).ConfigureAwait(false);
        }

        findings.Add(await CheckCommand.ApiServerAsync("Management cluster", management, cancellationToken).ConfigureAwait(false));
        await AddAsync($"Tenant {name}", cancel => ManagerAsync(management, name, tenantNamespace, cancel)).ConfigureAwait(false);
        await AddAsync("CCM", cancel => ReportAsync(tenant, management, tenantNamespace, options, cancel)).ConfigureAwait(false);
        return findings;

        async Task AddAsync(string what, Func<CancellationToken, Task<Finding>> request) =>
            findings.Add(await CheckCommand.RequestAsync(what, request, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<Finding> GatewayClassAsync(Cluster tenant, CancellationToken cancellationToken)
    {
        var found = await tenant
            .Client<GatewayClass>()
            .GetAsync(new ResourceKey("", GatewayClass.KubelbName), cancellationToken)
            .ConfigureAwait(false);
        return found switch
        {
            null => new Finding(
                false,
                "does not exist. Install the definitions of Gateway API, and the class (gatewayClass.create, or apply it yourself)."
            ),
            { Spec.ControllerName: not GatewayClass.KubelbController } => new Finding(
                false,
                $"its controllerName is {found.Spec?.ControllerName}, not {GatewayClass.KubelbController}. "
                    + "Delete it and install the chart again."
            ),
            _ when found.Status?.Conditions?.Any(c => c is { Type: GatewayConditions.Accepted, IsTrue: true }) == true => new Finding(
                true,
                "is accepted."
            ),
            _ => new Finding(false, "is not accepted by the CCM. See the log of the CCM and its /readyz."),
        };
    }

    private static async Task<Finding> ManagerAsync(
        Cluster management,
        string tenant,
        string tenantNamespace,
        CancellationToken cancellationToken
    )
    {
        var state = await management
            .Client<TenantState>()
            .GetAsync(new ResourceKey(tenantNamespace, TenantState.DefaultName), cancellationToken)
            .ConfigureAwait(false);
        return state?.Status?.Version?.GitVersion is { } version
            ? new Finding(true, $"is registered, manager {version}.")
            : new Finding(
                false,
                $"the manager has not set it up. The administrator of the management cluster can run: kubectl describe tenant {tenant}."
            );
    }

    private static async Task<Finding> ReportAsync(
        Cluster tenant,
        Cluster management,
        string tenantNamespace,
        CcmOptions options,
        CancellationToken cancellationToken
    )
    {
        var addresses = await management
            .Client<Addresses>()
            .GetAsync(new ResourceKey(tenantNamespace, Addresses.DefaultName), cancellationToken)
            .ConfigureAwait(false);
        if (CcmAnnotations.ClusterUidOf(addresses) is not { } bound)
        {
            return new Finding(false, "it has not reported to the management cluster yet. See its log and /readyz.");
        }

        var identity = new ResourceKey("", ClusterBinding.IdentityNamespace);
        var here = await tenant.GetMetadataAsync(ResourceKind.Of<V1Namespace>(), identity, cancellationToken).ConfigureAwait(false);
        if (bound != here?.Uid)
        {
            return new Finding(
                false,
                $"the tenant is bound to another cluster ({bound}), this one is {here?.Uid}. "
                    + "Correct kubelb.tenantName (--cluster-name) or the kubeconfig, or bind the tenant to this cluster "
                    + "(docs/operations.md)."
            );
        }

        if (CcmAnnotations.LastSeenOf(addresses) is { } seen && TimeProvider.System.GetUtcNow() - seen > NotSeenAfter)
        {
            return new Finding(false, $"it has not reported since {seen:u}. See kubectl get pods, and the log of the CCM.");
        }

        if (addresses!.Spec?.Addresses is not { Count: > 0 } reported)
        {
            return new Finding(
                false,
                $"it has reported, but no node that is ready has an address of type {options.NodeAddressType}. "
                    + "Change kubelb.nodeAddressType (--node-address-type)."
            );
        }

        var version = CcmAnnotations.CcmVersionOf(addresses) ?? "an unknown version";
        return
            addresses.Status?.Conditions?.FirstOrDefault(c => c.Type == AddressesConditions.Accepted)
                is { Status: ConditionStatus.False } refused
            ? new Finding(false, $"the manager does not accept the addresses of the nodes: {refused.Message}")
            : new Finding(true, $"{version} has reported {reported.Count} node address(es) to the management cluster.");
    }
}
