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
        var tenants = new List<Tenant>();
        findings.Add(await CheckCommand.AskAsync("Tenants", cancel => TenantsAsync(management, tenants, cancel), cancellationToken).ConfigureAwait(false));
        foreach (var tenant in tenants.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            findings.Add(await CheckCommand.AskAsync($"Tenant {tenant.Name}", cancel => TenantAsync(management, tenant, cancel), cancellationToken).ConfigureAwait(false));
        }

        return findings;
    }

    private static async Task<Finding> ConfigAsync(Cluster management, string managerNamespace, CancellationToken cancellationToken)
    {
        var config = await management.Client<Config>().GetAsync(new ResourceKey(managerNamespace, Config.DefaultName), cancellationToken).ConfigureAwait(false);
        return config is null
            ? new Finding(true, "there is none, the defaults hold.")
            : FirstFalse(config.Status?.Conditions) is { } problem ? new Finding(false, problem) : new Finding(true, "is in force.");
    }

    private static async Task<Finding> TenantsAsync(Cluster management, List<Tenant> found, CancellationToken cancellationToken)
    {
        found.Clear();
        found.AddRange((await management.Client<Tenant>().ListAsync(ListQuery.All, cancellationToken).ConfigureAwait(false)).Items);
        return new Finding(true, found.Count == 0 ? "there are none yet. Create one with kubectl." : $"{found.Count}.");
    }

    private static async Task<Finding> TenantAsync(Cluster management, Tenant tenant, CancellationToken cancellationToken)
    {
        if (FirstFalse(tenant.Status?.Conditions) is { } problem)
        {
            return new Finding(false, problem);
        }

        if (tenant.Status?.Phase != TenantPhases.Ready)
        {
            return new Finding(false, $"it is not set up (phase {tenant.Status?.Phase ?? "unknown"}). Is the manager running? See its log and /readyz.");
        }

        var key = new ResourceKey(TenantNames.Namespace(tenant.Name), Addresses.DefaultName);
        var addresses = await management.Client<Addresses>().GetAsync(key, cancellationToken).ConfigureAwait(false);
        return addresses is null
            ? new Finding(true, "it is set up; no CCM has reported yet.")
            : new Finding(true, $"CCM {CcmAnnotations.CcmVersionOf(addresses) ?? "of unknown version"} has reported {addresses.Spec?.Addresses?.Count ?? 0} node address(es).");
    }

    private static string? FirstFalse(IEnumerable<Condition>? conditions) =>
        conditions?.FirstOrDefault(c => c.Status == ConditionStatus.False) is { } condition ? $"{condition.Type} is False ({condition.Reason}): {condition.Message}" : null;
}
