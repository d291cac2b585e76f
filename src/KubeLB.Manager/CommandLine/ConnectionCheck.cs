using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.CommandLine;

/// <summary>
/// What <c>kubelb-manager check</c> looks at: the API server, the Config, and of each Tenant whether it is set up and its CCM has reported.
/// It reads with the rights of the manager and changes nothing.
/// </summary>
internal static class ConnectionCheck
{
    public static async Task<IReadOnlyList<Finding>> LookAsync(ManagerOptions options, CancellationToken cancellationToken)
    {
        var connection = Kubeconfig.Connect(options.Kubeconfig, "kubelb-manager");
        using var host = ManagerHost.Build(
            options with { MetricsAddress = "", HealthProbeBindAddress = "", ListenAddress = "", EnableLeaderElection = false }, () => connection);
        var management = host.Services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name);

        var findings = new List<Finding>
        {
            await CheckCommand.ApiServerAsync("This cluster", management, cancellationToken).ConfigureAwait(false),
            await CheckCommand.AskAsync("Config", cancel => ConfigAsync(management, options.Namespace, cancel), cancellationToken).ConfigureAwait(false),
        };
        if (options.EnableLeaderElection)
        {
            findings.Add(await CheckCommand.AskAsync(
                "Manager", cancel => CheckCommand.LeaseAsync(management, options.Namespace, "kubelb-manager", cancel), cancellationToken).ConfigureAwait(false));
        }

        var tenants = new List<Tenant>();
        findings.Add(await CheckCommand.AskAsync("Tenants", cancel => TenantsAsync(management, tenants, cancel), cancellationToken).ConfigureAwait(false));
        var addresses = new List<Addresses>();
        findings.Add(await CheckCommand.AskAsync("CCMs", cancel => AddressesAsync(management, addresses, cancel), cancellationToken).ConfigureAwait(false));
        findings.AddRange(tenants.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => TenantFinding(t, addresses)));
        return findings;
    }

    private static async Task<Finding> ConfigAsync(Cluster management, string managerNamespace, CancellationToken cancellationToken)
    {
        var config = await management.Client<Config>().GetAsync(new ResourceKey(managerNamespace, Config.DefaultName), cancellationToken).ConfigureAwait(false);
        return config is null
            ? new Finding(true, "does not exist; the defaults apply.")
            : FirstFalse(config.Status?.Conditions) is { } problem ? new Finding(false, problem) : new Finding(true, "is applied.");
    }

    private static async Task<Finding> TenantsAsync(Cluster management, List<Tenant> found, CancellationToken cancellationToken)
    {
        found.Clear();
        found.AddRange((await management.Client<Tenant>().ListAsync(ListQuery.All, cancellationToken).ConfigureAwait(false)).Items);
        return new Finding(true, found.Count == 0 ? "none yet." : $"{found.Count}.");
    }

    private static async Task<Finding> AddressesAsync(Cluster management, List<Addresses> found, CancellationToken cancellationToken)
    {
        found.Clear();
        found.AddRange((await management.Client<Addresses>().ListAsync(ListQuery.All, cancellationToken).ConfigureAwait(false)).Items);
        return new Finding(true, $"{found.Count} have reported.");
    }

    // What is wrong with a tenant is reported; the installation passes all the same.
    private static Finding TenantFinding(Tenant tenant, List<Addresses> reported)
    {
        var addresses = reported.FirstOrDefault(a => a.Namespace == TenantNames.Namespace(tenant.Name));
        return tenant switch
        {
            { Metadata.DeletionTimestamp: not null } => new Finding(true, $"Tenant {tenant.Name}: is being deleted."),
            _ when FirstFalse(tenant.Status?.Conditions) is { } problem => Warning($"Tenant {tenant.Name}: {problem}"),
            { Status.Phase: not TenantPhases.Ready } => Warning(
                $"Tenant {tenant.Name}: is not set up (phase {tenant.Status?.Phase ?? "unknown"}). See the log of the manager."),
            _ when addresses is null => new Finding(true, $"Tenant {tenant.Name}: is set up; no CCM has reported yet."),
            _ => new Finding(
                true,
                $"Tenant {tenant.Name}: CCM {CcmAnnotations.CcmVersionOf(addresses) ?? "of unknown version"} has reported {addresses.Spec?.Addresses?.Count ?? 0} node address(es)."),
        };
    }

    private static Finding Warning(string text) => new(false, text) { IsWarning = true };

    private static string? FirstFalse(IEnumerable<Condition>? conditions) =>
        conditions?.FirstOrDefault(c => c.Status == ConditionStatus.False) is { } condition ? $"{condition.Type} is False ({condition.Reason}): {condition.Message}" : null;
}
