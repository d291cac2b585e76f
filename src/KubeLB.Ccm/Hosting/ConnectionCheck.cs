using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Hosting;

/// <summary>
/// The checks of <c>kubelb-ccm check</c>: both API servers, the GatewayClass, the manager, and the CCM's report in the management cluster.
/// Reads with the permissions of the CCM and changes nothing.
/// </summary>
internal static class ConnectionCheck
{
    // Three times the interval of reports.
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
        if (!options.EnableGatewayApi)
        {
            findings.Add(new Finding(false, TenantSettings.GatewayApiNotEnabled) { IsWarning = true });
        }
        else if (options.UseGatewayClass)
        {
            await AddAsync("GatewayClass kubelb", tenant, cancel => GatewayClassAsync(tenant, cancel)).ConfigureAwait(false);
        }

        if (options.EnableLeaderElection)
        {
            var lease = CcmHost.LeaderElection(options);
            await AddAsync("Leader", tenant, cancel => CheckCommand.LeaseAsync(tenant, lease, cancel)).ConfigureAwait(false);
        }

        findings.Add(await CheckCommand.ApiServerAsync("Management cluster", management, cancellationToken).ConfigureAwait(false));
        await AddAsync($"Tenant {name}", management, cancel => ManagerAsync(management, name, tenantNamespace, cancel))
            .ConfigureAwait(false);
        await AddAsync("CCM", management, cancel => ReportAsync(tenant, management, tenantNamespace, options, cancel))
            .ConfigureAwait(false);
        return findings;

        async Task AddAsync(string what, Cluster cluster, Func<CancellationToken, Task<Finding>> request) =>
            findings.Add(await CheckCommand.RequestAsync(what, cluster, request, cancellationToken).ConfigureAwait(false));
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
                "does not exist. Install the CustomResourceDefinitions of Gateway API and the class (gatewayClass.create)."
            ),
            { Spec.ControllerName: not GatewayClass.KubelbController } => new Finding(
                false,
                $"spec.controllerName is {found.Spec?.ControllerName}, expected {GatewayClass.KubelbController}. "
                    + "Delete the class and install the chart again."
            ),
            _ when found.Status?.Conditions?.Any(c => c is { Type: GatewayConditions.Accepted, IsTrue: true }) == true => new Finding(
                true,
                "is accepted."
            ),
            _ => new Finding(false, "is not accepted by the CCM. See the log and /readyz of the CCM."),
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
                $"has not been reconciled by the manager. Ask the administrator to run: kubectl describe tenant {tenant}."
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
            return new Finding(false, "has not reported to the management cluster. See the log and /readyz of the CCM.");
        }

        var identity = new ResourceKey("", ClusterBinding.IdentityNamespace);
        var namespaceMetadata = await tenant
            .GetMetadataAsync(ResourceKind.Of<V1Namespace>(), identity, cancellationToken)
            .ConfigureAwait(false);
        if (bound != namespaceMetadata?.Uid)
        {
            return new Finding(
                false,
                $"the tenant is bound to cluster {bound}, but this cluster is {namespaceMetadata?.Uid}. "
                    + "Correct kubelb.tenantName (--cluster-name) or the kubeconfig, or bind the tenant to this cluster "
                    + "(docs/operator/operations.md)."
            );
        }

        if (CcmAnnotations.LastSeenOf(addresses) is { } seen && TimeProvider.System.GetUtcNow() - seen > NotSeenAfter)
        {
            return new Finding(false, $"has not reported since {seen:u}. See the pods and the log of the CCM.");
        }

        if (addresses!.Spec?.Addresses is not { Count: > 0 } reported)
        {
            return new Finding(
                false,
                $"has reported, but no eligible node has an address of type {options.NodeAddressType}. Check kubelb.nodeAddressType "
                    + "(--node-address-type), --node-address-label-selector and the label "
                    + "node.kubernetes.io/exclude-from-external-load-balancers of the nodes."
            );
        }

        var version = CcmAnnotations.CcmVersionOf(addresses) ?? "unknown version";
        return
            addresses.Status?.Conditions?.FirstOrDefault(c => c.Type == AddressesConditions.Accepted)
                is { Status: ConditionStatus.False } rejected
            ? new Finding(false, $"the manager rejected node addresses: {rejected.Message}")
            : new Finding(true, $"{version} has reported {reported.Count} node address(es) to the management cluster.");
    }
}
